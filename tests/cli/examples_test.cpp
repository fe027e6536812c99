// Every control problem among the examples: it is read, solved, and its optimum is the one that its comment states.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "eos/io/toml.hpp"
#include "eos/solvers/control.hpp"
#include "eos/theory/models.hpp"

namespace eos::test {
namespace {

namespace fs = std::filesystem;

struct Expected {
  const char* file;
  double objective;
  double tolerance;  ///< relative: the digits given
};
constexpr Expected k_learning[] = {
    {"learning/annealing.toml", 5.5984e-3, 1e-5},            // printed to 5 digits
    {"learning/deep_linear_mode.toml", 1.622652905, 1e-8},   // c tau^2/(2 T)
    {"learning/hard_fraction.toml", 1.019982325, 1e-8},      // (r + rho)/phi(rho) at its root, SciPy
    {"learning/path_length.toml", 0.955769231, 1e-8},        // (c1 + c0/v)(e0 - eT) + s lambda eT^2/2
    {"learning/plasticity_energy.toml", 2.210418899, 1e-8},  // D alpha (alpha - 1)^(1/alpha - 1) c0^(1 - 1/alpha)
    {"learning/priced_data.toml", 0.075959667, 1e-8},        // 2 sqrt((c + c0) w Sigma)/lambda - (c + c0) Sigma/m0
};

/// Every model of the registry: published where there is a number in print, else computed by several transcriptions.
constexpr Expected k_models[] = {
    {"model_batch-ramp.toml", 0.2736376903, 1e-8},  // closed form: 2 sqrt(c_b eta sigma^2) ((T+1)^(1-q/2) - 1)/(1-q/2)
    {"model_committee.toml", 0.017807881, 1e-7},
    {"model_curriculum.toml", 0.14684127, 1e-5},  // singular arcs: flat optimum
    {"model_denoising.toml", 9.4268691, 1e-7},    // published 9.426900 on 399 intervals
    {"model_dropout.toml", 0.0118976337, 1e-7},   // published 0.0118988 on 50 intervals
    {"model_effort.toml", 0.8199519, 1e-7},       // closed form
    {"model_effort-linear-network.toml", 0.7022457, 1e-6},
    {"model_effort-linear-unit.toml", 0.0941652753, 1e-7},
    {"model_perceptron.toml", 0.2147081988, 1e-7},
    {"model_rate-linear-network.toml", 0.7102055817, 1e-6},
    {"model_scaling-law.toml", 0.0751280, 1e-6},  // printed to 6 digits
};

void expect_optimum(const Expected& example, theory::Method method = theory::Method::automatic) {
  SCOPED_TRACE(example.file);
  solvers::ControlOptions options;
  options.method = method;
  const theory::ControlSolution s =
      solvers::solve(io::read_control(std::string(EOS_SOURCE_DIR) + "/examples/" + example.file), options);
  EXPECT_TRUE(s.ok()) << s.message;
  EXPECT_NEAR(s.objective, example.objective, example.tolerance * std::abs(example.objective));
}

TEST(Examples, learning_problems_have_their_closed_forms) {
  for (const Expected& example : k_learning) expect_optimum(example);
}

TEST(Examples, models_of_the_literature_have_their_optima) {
  for (const Expected& example : k_models) expect_optimum(example, theory::Method::radau);
}

TEST(Examples, every_model_has_one) {
  std::set<std::string> files, models;
  for (const Expected& example : k_models) files.insert(example.file);
  for (const theory::ModelInfo& model : theory::models()) models.insert("model_" + model.name + ".toml");
  EXPECT_EQ(files, models);
}

TEST(Examples, no_learning_problem_is_left_out) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(std::string(EOS_SOURCE_DIR) + "/examples/learning"))
    files += entry.path().extension() == ".toml" ? 1 : 0;
  EXPECT_EQ(files, std::size(k_learning));
}

}  // namespace
}  // namespace eos::test
