// The control problems of examples/gold say what their papers say: each against the equations written out by hand.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

struct Gold {
  std::string name;
  Vector initial, final;  ///< NaN: free
  double horizon;         ///< 0: free
  Vector lower, upper;    ///< of the controls
  std::function<Vector(double t, const Vector& x, const Vector& u)> dynamics;
  std::function<double(double t, const Vector& x, const Vector& u)> running;
  std::function<double(double T, const Vector& x)> terminal;
};

const double k_free = std::numeric_limits<double>::quiet_NaN();
double none(double, const Vector&, const Vector&) { return 0; }
double nothing(double, const Vector&) { return 0; }
double squares(double, const Vector& x, const Vector& u) { return 0.5 * (x[0] * x[0] + u[0] * u[0]); }
double horizon_itself(double T, const Vector&) { return T; }
Vector mass(double, const Vector& x, const Vector& u) { return {x[1], u[0]}; }

const Vector k_any{-k_infinity}, k_all{k_infinity};

std::vector<Gold> oscillators() {
  return {
      {"double_integrator",
       {0, 0},
       {1, 0},
       1,
       k_any,
       k_all,
       mass,
       [](double, const Vector&, const Vector& u) { return u[0] * u[0] / 2; },
       nothing},
      {"minimum_time", {1, 0}, {0, 0}, 0, {-1}, {1}, mass, none, horizon_itself},
      {"bryson_denham",
       {0, 1},
       {0, -1},
       1,
       k_any,
       k_all,
       mass,
       [](double, const Vector&, const Vector& u) { return u[0] * u[0] / 2; },
       nothing},
      {"van_der_pol",
       {0, 1},
       {k_free, k_free},
       5,
       {-0.3},
       {1},
       [](double, const Vector& x, const Vector& u) {
         return Vector{(1 - x[1] * x[1]) * x[0] - x[1] + u[0], x[0]};
       },
       [](double, const Vector& x, const Vector& u) { return x[0] * x[0] + x[1] * x[1] + u[0] * u[0]; },
       nothing},
      {"rayleigh",
       {-5, -5},
       {k_free, k_free},
       2.5,
       k_any,
       k_all,
       [](double, const Vector& x, const Vector& u) {
         return Vector{x[1], -x[0] + x[1] * (1.4 - 0.14 * x[1] * x[1]) + 4 * u[0]};
       },
       [](double, const Vector& x, const Vector& u) { return x[0] * x[0] + u[0] * u[0]; },
       nothing},
      {"bang_singular_luus",
       {0, 1},
       {k_free, k_free},
       5,
       {-1},
       {1},
       mass,
       [](double, const Vector& x, const Vector&) { return x[0] * x[0] + x[1] * x[1]; },
       nothing},
      {"fuller",
       {0, 1},
       {0, 0},
       0,
       {-1},
       {1},
       mass,
       [](double, const Vector& x, const Vector&) { return x[0] * x[0]; },
       nothing},
      {"singular_free_time",
       {2, 0},
       {5, 0},
       0,
       {-1},
       {1},
       mass,
       [](double, const Vector& x, const Vector&) { return x[1] * x[1] / 2; },
       [](double T, const Vector&) { return T / 2; }},
      {"least_fuel",
       {0, 0},
       {1, 0},
       3,
       {0, 0},
       {1, 1},
       [](double, const Vector& x, const Vector& u) {
         return Vector{x[1], u[0] - u[1]};
       },
       [](double, const Vector&, const Vector& u) { return u[0] + u[1]; },
       nothing},
  };
}

std::vector<Gold> further() {
  const auto cubic = [](double, const Vector& x, const Vector& u) { return Vector{-x[0] * x[0] * x[0] + u[0]}; };
  const auto direct = [](double, const Vector&, const Vector& u) { return Vector{u[0]}; };
  return {
      {"goddard",
       {1, 0, 1},
       {k_free, k_free, 0.6},
       0,
       {0},
       {1},
       [](double, const Vector& x, const Vector& u) {
         const double r = x[0], v = x[1], m = x[2];
         return Vector{v, -310 * v * v * std::exp(-500 * (r - 1)) / m - 1 / (r * r) + 3.5 * u[0] / m, -7 * u[0]};
       },
       none,
       [](double, const Vector& x) { return -x[0]; }},
      {"brachistochrone",
       {0, 0, 0},
       {10, 5, k_free},
       0,
       {0},
       {std::numbers::pi},
       [](double, const Vector& x, const Vector& u) {
         return Vector{x[2] * std::sin(u[0]), x[2] * std::cos(u[0]), 9.80665 * std::cos(u[0])};
       },
       none,
       horizon_itself},
      {"bang_singular_bressan",
       {0, 0, 0},
       {k_free, k_free, k_free},
       10,
       {-1},
       {1},
       [](double, const Vector& x, const Vector& u) {
         return Vector{u[0], -x[0], x[1] - x[0] * x[0]};
       },
       none,
       [](double, const Vector& x) { return -x[2]; }},
      {"aly_chan",
       {0, 1, 0},
       {k_free, k_free, k_free},
       std::numbers::pi / 2,
       {-1},
       {1},
       [](double, const Vector& x, const Vector& u) {
         return Vector{x[1], u[0], 0.5 * (x[1] * x[1] - x[0] * x[0])};
       },
       none,
       [](double, const Vector& x) { return x[2]; }},
      {"catalyst_mixing",
       {1, 0},
       {k_free, k_free},
       1,
       {0},
       {1},
       [](double, const Vector& x, const Vector& u) {
         return Vector{u[0] * (10 * x[1] - x[0]), u[0] * (x[0] - 10 * x[1]) - (1 - u[0]) * x[1]};
       },
       none,
       [](double, const Vector& x) { return x[0] + x[1] - 1; }},
      {"hyper_sensitive", {1.5}, {1}, 1e4, k_any, k_all, cubic, squares, nothing},
      {"turnpike",
       {1},
       {0.5},
       2,
       {-1},
       {1},
       direct,
       [](double, const Vector& x, const Vector&) { return x[0] * x[0]; },
       nothing},
      {"park_ramirez",
       {0, 0, 1, 5, 1},
       {k_free, k_free, k_free, k_free, k_free},
       15,
       {0},
       {2},
       [](double, const Vector& x, const Vector& u) {
         const double g3 = 21.87 * x[3] / ((x[3] + 0.4) * (x[3] + 62.5)), g1 = 4.75 * g3 / (0.12 + g3);
         const double g2 = x[3] / (0.1 + x[3]) * std::exp(-5 * x[3]), d = u[0] / x[4];
         return Vector{g1 * (x[1] - x[0]) - d * x[0], g2 * x[2] - d * x[1], g3 * x[2] - d * x[2],
                       -7.3 * g3 * x[2] + d * (20 - x[3]), u[0]};
       },
       none,
       [](double, const Vector& x) { return -x[0] * x[4]; }},
      {"price_of_effort",
       {1},
       {k_free},
       1,
       k_any,
       k_all,
       [](double, const Vector& x, const Vector& u) { return Vector{-u[0] * x[0]}; },
       [](double, const Vector&, const Vector& u) { return 0.1 * u[0] * u[0] / 2; },
       [](double, const Vector& x) { return x[0]; }},
      {"price_of_motion",
       {1},
       {k_free},
       1,
       k_any,
       k_all,
       direct,
       [](double, const Vector&, const Vector& u) { return 0.1 * u[0] * u[0] / 2; },
       [](double, const Vector& x) { return x[0] * x[0] / 2; }},
      {"regulator", {1}, {k_free}, 1, k_any, k_all, direct, squares, nothing},
      {"leaky_regulator",
       {1},
       {k_free},
       1,
       k_any,
       k_all,
       [](double, const Vector& x, const Vector& u) { return Vector{-x[0] + u[0]}; },
       squares,
       nothing},
      {"cubic_regulator", {1}, {k_free}, 20, k_any, k_all, cubic, squares, nothing},
      {"discounted_regulator",
       {1},
       {k_free},
       30,
       k_any,
       k_all,
       direct,
       [](double t, const Vector& x, const Vector& u) { return std::exp(-0.5 * t) * squares(t, x, u); },
       nothing},
  };
}

void check_ends(const ControlProblem& p, const Gold& gold) {
  for (std::size_t i = 0; i < gold.initial.size(); ++i) {
    EXPECT_TRUE(p.states[i].initial.fixed());
    EXPECT_EQ(p.states[i].initial.lower, gold.initial[i]);
    EXPECT_EQ(p.states[i].final.free(), std::isnan(gold.final[i]));
    if (!std::isnan(gold.final[i])) {
      EXPECT_EQ(p.states[i].final.upper, gold.final[i]);
    }
  }
  for (std::size_t j = 0; j < gold.lower.size(); ++j) {
    EXPECT_EQ(p.controls[j].bounds.lower, gold.lower[j]);
    EXPECT_EQ(p.controls[j].bounds.upper, gold.upper[j]);
  }
  EXPECT_EQ(p.horizon.free, gold.horizon == 0);
  if (gold.horizon > 0) {
    EXPECT_EQ(p.horizon.value, gold.horizon);
  }
}

/// Both sides at one point; rounding of a few operations is allowed.
void check_formulas(const ControlProblem& p, const Gold& gold) {
  const std::size_t n = p.states.size(), m = p.controls.size();
  Vector x, u, path(static_cast<std::size_t>(p.path_slots())), ends(static_cast<std::size_t>(p.end_slots()));
  for (std::size_t i = 0; i < n; ++i) x.push_back(1.01 + 0.07 * static_cast<double>(i));
  for (std::size_t j = 0; j < m; ++j) u.push_back(0.3 + 0.2 * static_cast<double>(j));
  const double t = 0.7;
  path[0] = t, ends[0] = t;
  for (std::size_t i = 0; i < n; ++i) path[1 + i] = ends[1 + n + i] = x[i];
  for (std::size_t j = 0; j < m; ++j) path[1 + n + j] = u[j];
  for (std::size_t k = 0; k < p.parameters.size(); ++k)
    path[1 + n + m + k] = ends[1 + 2 * n + k] = p.parameters[k].value;
  std::vector<Expr> formulas;
  for (const auto& s : p.states) formulas.push_back(s.dynamics);
  formulas.push_back(p.running_cost());
  Vector computed(formulas.size());
  Program(formulas, p.path_slots())(path.data(), computed.data());
  Vector expected = gold.dynamics(t, x, u);
  expected.push_back(gold.running(t, x, u));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(computed[i], expected[i], 1e-14 * (1 + std::fabs(expected[i]))) << i;
  double terminal = 0;
  Program(std::vector<Expr>{p.terminal_cost()}, p.end_slots())(ends.data(), &terminal);
  EXPECT_NEAR(terminal, gold.terminal(t, x), 1e-14);
}

TEST(GoldProblems, each_file_states_the_equations_of_its_source) {
  std::size_t known = 0;
  for (const std::vector<Gold>& group : {oscillators(), further()})
    for (const Gold& gold : group) {
      SCOPED_TRACE(gold.name);
      const ControlProblem p =
          eos::io::read_control(fmt::format("{}/examples/gold/{}.toml", EOS_SOURCE_DIR, gold.name));
      ASSERT_EQ(p.states.size(), gold.initial.size());
      ASSERT_EQ(p.controls.size(), gold.lower.size());
      check_ends(p, gold);
      check_formulas(p, gold);
      ++known;
    }
  const std::filesystem::directory_iterator folder(EOS_SOURCE_DIR "/examples/gold");
  EXPECT_EQ(known, static_cast<std::size_t>(std::distance(folder, {}))) << "a file has no test";
}

TEST(GoldProblems, bounds_on_states_are_those_of_the_sources) {
  const auto read = [](const char* name, std::vector<std::string> set = {}) {
    return eos::io::read_control(fmt::format("{}/examples/gold/{}.toml", EOS_SOURCE_DIR, name), {std::move(set)});
  };
  EXPECT_EQ(read("bryson_denham").states[0].bounds.upper, 1.0 / 9);
  EXPECT_EQ(read("bryson_denham", {"parameters.l=0.1"}).states[0].bounds.upper, 0.1);
  EXPECT_TRUE(read("goddard").maximise);
  EXPECT_EQ(read("brachistochrone", {"parameters.across=3"}).states[0].final.lower, 3);
}

}  // namespace
