// eos plan, check, show and explain for problems stated by formulas and for models of the literature.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/theory/control_problem.hpp"
#include "eos/theory/models.hpp"

namespace {

using namespace eos;
using eos::test::eos_says;
using eos::test::Folder;
using eos::test::Said;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string gold(const std::string& name) { return std::string(EOS_SOURCE_DIR) + "/examples/gold/" + name + ".toml"; }

TEST(PlanControl, json_names_states_controls_terms_and_the_certificate) {
  const Said said = eos_says({"plan", gold("double_integrator"), "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json plan = json::parse(said.out);
  EXPECT_EQ(plan["schema"], "eos.control/1");
  EXPECT_NEAR(plan["objective"], 6, 6e-8);  // exactly 6 (Bryson & Ho 1975)
  EXPECT_NEAR(plan["terms"]["effort"], 6, 6e-8);
  EXPECT_EQ(plan["states"]["x"].size(), plan["time"].size());
  EXPECT_NEAR(plan["controls"]["u"][0], 6, 1e-4);
  EXPECT_TRUE(plan["certificate"].contains("ode_residual"));
}

TEST(PlanControl, overrides_move_parameters_bounds_and_the_horizon) {
  const auto objective = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out)["objective"].get<double>();
  };
  // 6 d^2 / T^3, 4 / (9 l), lambda / (2 (1 + lambda)): closed forms
  EXPECT_NEAR(
      objective({"plan", gold("double_integrator"), "--set", "states.x.final=2", "--set", "control_problem.horizon=2"}),
      3, 3e-8);
  EXPECT_NEAR(objective({"plan", gold("price_of_motion"), "--set", "parameters.lambda=1"}), 0.25, 1e-8);
  EXPECT_NEAR(objective({"plan", gold("regulator"), "--set", "states.x.initial=2"}), 2 * std::tanh(1.0), 1e-7);
}

TEST(PlanControl, a_stored_plan_can_be_shown_drawn_checked_and_run_again) {
  const Folder folder;
  const Said said = eos_says({"plan", gold("van_der_pol"), "-o", folder / "a.h5", "--plot", folder / "a.png"});
  ASSERT_EQ(said.code, 0) << said.err;
  for (const char* word :
       {"Van der Pol", "status", "optimal", "objective J", "2.86726", "Terms of the objective", "deviation"})
    EXPECT_THAT(said.out, HasSubstr(word));
  EXPECT_TRUE(std::filesystem::file_size(folder / "a.png") > 1000);
  const Said config = eos_says({"show", folder / "a.h5", "--config"});
  std::ofstream(folder / "again.toml") << config.out;
  EXPECT_EQ(eos_says({"check", folder / "again.toml", folder / "a.h5"}).code, 0);
  EXPECT_EQ(eos_says({"plan", folder / "again.toml", "-o", folder / "b.h5", "-q"}).code, 0);
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "b.h5"}).code, 0)
      << "the effective configuration gives another plan";
  EXPECT_EQ(eos_says({"show", folder / "a.h5", "--plot", folder / "b.png"}).code, 0);
  EXPECT_EQ(eos::test::file_text(folder / "a.png"), eos::test::file_text(folder / "b.png"));
  EXPECT_THAT(eos_says({"show", folder / "a.h5"}).out, HasSubstr("switching"));
}

TEST(PlanControl, csv_has_one_column_for_each_state_and_control) {
  const Said said = eos_says({"plan", gold("van_der_pol"), "--format", "csv"});
  EXPECT_THAT(said.out.substr(0, said.out.find('\n')), HasSubstr("time,u,x1,x2"));
}

TEST(PlanControl, a_sweep_tabulates_objectives) {
  const Folder folder;
  const Said said = eos_says({"plan", gold("price_of_motion"), "--sweep", "parameters.lambda=0.5,1,2", "-o",
                              folder / "s.h5", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json runs = json::parse(said.out)["runs"];
  ASSERT_EQ(runs.size(), 3u);
  const double lambda[] = {0.5, 1, 2};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(runs[i]["objective"], lambda[i] / (2 * (1 + lambda[i])), 1e-8);
}

TEST(PlanControl, mistakes_are_shown_at_their_character) {
  const Folder folder;
  std::ofstream(folder / "p.toml") << "[control_problem]\nhorizon = 1\n[states.x]\ndynamics = \"-x + uu\"\n"
                                      "[controls.u]\n[cost.c]\nrunning = \"x^2\"\n";
  const Said said = eos_says({"plan", folder / "p.toml"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("error[E109]: states.x.dynamics: 'uu' is not defined"));
  EXPECT_THAT(said.err, HasSubstr("p.toml:4:18"));
  EXPECT_THAT(said.err, HasSubstr("help: did you mean 'u'?"));
  EXPECT_EQ(eos_says({"check", folder / "p.toml"}).code, 2);
}

TEST(PlanControl, options_of_other_plans_are_refused) {
  const Said said = eos_says({"plan", gold("regulator"), "--target-loss", "0.3"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("--target-loss has no meaning"));
  EXPECT_EQ(eos_says({"plan", gold("regulator"), "--method", "simplex"}).code, 2);
  EXPECT_EQ(eos_says({"train", gold("regulator"), "-o", "x.h5"}).code, 2);
}

TEST(PlanControl, every_solver_and_every_model_is_explained) {
  for (const std::string& name : theory::method_names())
    EXPECT_THAT(eos_says({"explain", name}).out, HasSubstr("eos plan --method " + name));
  for (const theory::ModelInfo& model : theory::models()) {
    const Said said = eos_says({"explain", model.name});
    EXPECT_THAT(said.out, HasSubstr(model.name));
    EXPECT_THAT(said.out, HasSubstr(model.parameters.front().name));
  }
}

}  // namespace
