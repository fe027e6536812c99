// Plans and workers of a sweep as JSON.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/sweep_folder.hpp"

namespace eos::io {

using nlohmann::json;

namespace {

constexpr const char* k_plan_schema = "eos.sweep_plan/1";

/// JSON has no NaN.
json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }
double number_of(const json& j) { return j.is_null() ? std::numeric_limits<double>::quiet_NaN() : j.get<double>(); }

json group_json(const SweepGroup& g) {
  return {{"shape", g.shape},
          {"runs", g.runs},
          {"replicas", g.replicas},
          {"alone", g.alone},
          {"run_seconds", g.run_seconds},
          {"run_energy", number(g.run_energy)},
          {"memory_bytes", g.memory_bytes},
          {"data_bytes", g.data_bytes},
          {"result_bytes", g.result_bytes}};
}

SweepGroup group_of(const json& j) {
  SweepGroup g;
  g.shape = j.at("shape"), g.runs = j.at("runs"), g.replicas = j.at("replicas"), g.alone = j.at("alone");
  g.run_seconds = j.at("run_seconds"), g.run_energy = number_of(j.at("run_energy"));
  g.memory_bytes = j.at("memory_bytes"), g.data_bytes = j.at("data_bytes"), g.result_bytes = j.at("result_bytes");
  return g;
}

}  // namespace

std::string to_json(const SweepPlan& plan) {
  json j = {{"schema", k_plan_schema}, {"title", plan.title},         {"origin", plan.origin},
            {"axes", plan.axes},       {"overrides", plan.overrides}, {"sha256", plan.sha256}};
  json &groups = j["groups"] = json::array(), &chunks = j["chunks"] = json::array(), &runs = j["runs"] = json::array();
  for (const SweepGroup& g : plan.groups) groups.push_back(group_json(g));
  for (const SweepChunk& c : plan.chunks)
    chunks.push_back({{"first", c.first}, {"count", c.count}, {"group", c.group}, {"seconds", c.seconds}});
  for (const SweepRun& r : plan.runs) runs.push_back(json::array({r.point, r.seed, r.group, r.id}));
  return j.dump(1) + "\n";
}

SweepPlan sweep_plan_from(const std::string& text, const std::string& name) {
  try {
    const json j = json::parse(text);
    if (j.at("schema") != k_plan_schema)
      throw core::Error(
          "E203", fmt::format("{} has the schema {}, this eos reads {}", name, j.at("schema").dump(), k_plan_schema));
    SweepPlan plan;
    plan.title = j.at("title"), plan.origin = j.at("origin"), plan.sha256 = j.at("sha256");
    plan.axes = j.at("axes").get<std::vector<std::string>>();
    plan.overrides = j.at("overrides").get<std::vector<std::string>>();
    for (const json& g : j.at("groups")) plan.groups.push_back(group_of(g));
    for (const json& c : j.at("chunks"))
      plan.chunks.push_back({c.at("first"), c.at("count"), c.at("group"), c.at("seconds")});
    for (const json& r : j.at("runs")) plan.runs.push_back({r.at(0), r.at(1), r.at(2), r.at(3)});
    return plan;
  } catch (const json::exception& problem) {
    throw core::Error("E203", fmt::format("{} is not the plan of a sweep: {}", name, problem.what()),
                      "restore the file, or start the sweep in another folder");
  }
}

void SweepFolder::report(const SweepWorker& w) const {
  const json j = {{"host", w.host},
                  {"pid", w.pid},
                  {"device", w.device},
                  {"threads", w.threads},
                  {"started", w.started},
                  {"updated", w.updated},
                  {"done", w.done},
                  {"diverged", w.diverged},
                  {"failed", w.failed},
                  {"running", w.running},
                  {"joules", number(w.joules)}};
  // Renamed, so that nobody reads half of it, but not synced: it is only news, and often.
  const std::string fresh = fmt::format("{}/open/.{}-{}.new", path_, w.host, w.pid);
  std::ofstream(fresh) << j.dump();
  std::error_code ignored;
  std::filesystem::rename(fresh, fmt::format("{}/open/{}-{}.json", path_, w.host, w.pid), ignored);
}

std::vector<SweepWorker> SweepFolder::workers() const {
  std::vector<SweepWorker> living;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_ + "/open", none)) {
    if (entry.path().extension() != ".json") continue;
    try {
      const json j = json::parse(read_file(entry.path().string()));
      SweepWorker w;
      w.host = j.at("host"), w.pid = j.at("pid"), w.device = j.at("device"), w.threads = j.at("threads");
      w.started = j.at("started"), w.updated = j.at("updated"), w.done = j.at("done"), w.diverged = j.at("diverged");
      w.failed = j.at("failed"), w.running = j.at("running"), w.joules = number_of(j.at("joules"));
      if (w.alive())
        living.push_back(w);
      else
        std::filesystem::remove(entry.path(), none);  // of a process that was killed
    } catch (const std::exception&) {                 // gone, or being replaced
    }
  }
  return living;
}

}  // namespace eos::io
