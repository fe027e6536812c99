#include "eos/theory/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/theory/published_problems.hpp"

namespace eos::theory {
namespace {

const std::vector<Model>& registry() {
  static const std::vector<Model> k_models = [] {
    std::vector<Model> list = {
        curriculum_model(),
        denoising_model(),
        dropout_model(),
        effort_model(),
        linear_unit_effort_model(),
        linear_network_effort_model(),
        linear_network_rate_model(),
        committee_model(),
        perceptron_model(),
        scaling_law_model(),
        batch_ramp_model(),
    };
    std::sort(list.begin(), list.end(), [](const Model& a, const Model& b) { return a.info.name < b.info.name; });
    return list;
  }();
  return k_models;
}

const Model* find_entry(const std::string& name) {
  for (const Model& m : registry()) {
    if (m.info.name == name) return &m;
  }
  return nullptr;
}

core::Diagnostic diagnostic(const char* code, std::string message, std::string help) {
  core::Diagnostic d;
  d.code = code;
  d.message = std::move(message);
  d.help = std::move(help);
  return d;
}

/// What is wrong with one given value, if anything.
void check_value(const ModelInfo& info, const std::string& name, double value,
                 std::vector<core::Diagnostic>& problems) {
  std::vector<std::string> known;
  for (const ModelParameter& p : info.parameters) {
    known.push_back(p.name);
    if (p.name != name) continue;
    if (!(value >= p.lower && value <= p.upper)) {
      problems.push_back(diagnostic(
          "E104", fmt::format("{} = {} of model '{}' is outside [{}, {}]", name, value, info.name, p.lower, p.upper),
          fmt::format("{}: {} [{}]", name, p.meaning, p.unit)));
    } else if (p.integer && value != std::floor(value)) {
      problems.push_back(diagnostic("E104",
                                    fmt::format("{} = {} of model '{}' is not a whole number", name, value, info.name),
                                    fmt::format("{}: {}", name, p.meaning)));
    }
    return;
  }
  problems.push_back(
      diagnostic("E102", fmt::format("model '{}' has no parameter '{}'", info.name, name), core::suggest(name, known)));
}

}  // namespace

const std::vector<ModelInfo>& models() {
  static const std::vector<ModelInfo> k_infos = [] {
    std::vector<ModelInfo> infos;
    for (const Model& m : registry()) infos.push_back(m.info);
    return infos;
  }();
  return k_infos;
}

const ModelInfo* find_model(const std::string& name) {
  const Model* m = find_entry(name);
  return m ? &m->info : nullptr;
}

ControlProblem make_model(const std::string& name, const ModelValues& parameters) {
  const Model* model = find_entry(name);
  if (!model) {
    std::vector<std::string> known;
    for (const Model& m : registry()) known.push_back(m.info.name);
    throw core::Error("E106", fmt::format("there is no model '{}'", name), core::suggest(name, known));
  }
  std::vector<core::Diagnostic> problems;
  for (const auto& [key, value] : parameters) check_value(model->info, key, value, problems);
  if (!problems.empty()) throw core::Error(std::move(problems));
  ModelValues values;
  for (const ModelParameter& p : model->info.parameters) values[p.name] = p.value;
  for (const auto& [key, value] : parameters) values[key] = value;
  ControlProblem problem = model->build(values);
  problem.title = model->info.title;
  problem.source = model->info.paper;
  problem.check();
  return problem;
}

}  // namespace eos::theory
