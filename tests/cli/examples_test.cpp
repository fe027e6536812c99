// Every control problem among the examples: it is read, solved, and its optimum is the one that its comment states.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "eos/io/toml.hpp"
#include "eos/solvers/control.hpp"

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

void expect_optimum(const Expected& example) {
  SCOPED_TRACE(example.file);
  const theory::ControlSolution s =
      solvers::solve(io::read_control(std::string(EOS_SOURCE_DIR) + "/examples/" + example.file));
  EXPECT_TRUE(s.ok()) << s.message;
  EXPECT_NEAR(s.objective, example.objective, example.tolerance * std::abs(example.objective));
}

TEST(Examples, learning_problems_have_their_closed_forms) {
  for (const Expected& example : k_learning) expect_optimum(example);
}

TEST(Examples, no_learning_problem_is_left_out) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(std::string(EOS_SOURCE_DIR) + "/examples/learning"))
    files += entry.path().extension() == ".toml" ? 1 : 0;
  EXPECT_EQ(files, std::size(k_learning));
}

}  // namespace
}  // namespace eos::test
