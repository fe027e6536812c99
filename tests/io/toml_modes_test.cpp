// Spectra, prices of plasticity, label noise and the recursion in problem files.
#include <gmock/gmock.h>

#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"
#include "eos/theory/spectrum.hpp"
#include "support.hpp"

namespace {

using eos::io::parse_problem;
using eos::io::to_toml;
using eos::io::testing::code_of;
using namespace eos::theory;
using ::testing::ElementsAre;

const std::string k_problem = "[problem]\nhorizon = 40\n";
const std::string k_modes = "[modes]\nlambda = [1, 0.5]\ninitial = [1, 2]\n";

ModeProblem parse(const std::string& text) { return parse_problem(text, "test"); }

TEST(ModeToml, a_binned_spectrum_stands_for_its_lists) {
  const ModeProblem p =
      parse(k_problem + "[modes]\nspectrum = {modes = 1000000, exponent = 1.5, source = 0.5, bins = 40}\n");
  const BinnedSpectrum s = log_binned_spectrum({1000000, 1.5, .5, 1, 40});
  EXPECT_EQ(p.lambda, s.lambda);
  EXPECT_EQ(p.initial, s.initial);
  EXPECT_EQ(p.multiplicity, s.multiplicity);
  const ModeProblem again = parse(to_toml(p));
  EXPECT_EQ(again.lambda, p.lambda);
  EXPECT_EQ(again.initial, p.initial);
  EXPECT_EQ(again.multiplicity, p.multiplicity);
}

TEST(ModeToml, a_spectrum_is_checked) {
  const std::string begin = k_problem + "[modes]\n";
  EXPECT_EQ(code_of([&] { parse(begin + "spectrum = {modes = 10}\n"); }), "E105");
  EXPECT_EQ(code_of([&] { parse(begin + "spectrum = {modes = 0, exponent = 1}\n"); }), "E104");
  EXPECT_EQ(code_of([&] { parse(begin + "spectrum = {modes = 9, exponent = 1, bin = 3}\n"); }), "E102");
  EXPECT_EQ(code_of([&] { parse(begin + "spectrum = 3\n"); }), "E103");
  EXPECT_EQ(code_of([&] { parse(begin + "spectrum = {modes = 9, exponent = 1}\nlambda = [1]\n"); }), "E107");
  EXPECT_EQ(code_of([&] { parse(begin); }), "E105");
}

TEST(ModeToml, prices_of_the_size_of_writes) {
  const ModeProblem p = parse(k_problem + k_modes +
                              "[price]\nplasticity_exponents = [0, 1.5]\nplasticity = [0.1, 0.2]\nmaintenance = 0.02\n"
                              "consolidation = 0.5\n[solver]\nscheme = \"recursion\"\n");
  EXPECT_THAT(p.plasticity_exponents, ElementsAre(0, 1.5));
  EXPECT_THAT(p.plasticity_prices, ElementsAre(.1, .2));
  EXPECT_EQ(p.price_maintenance, .02);
  EXPECT_EQ(p.price_consolidation, .5);
  EXPECT_EQ(p.discretisation.scheme, Scheme::recursion);
  EXPECT_EQ(to_toml(parse(to_toml(p))), to_toml(p));
  const std::string price = k_problem + k_modes + "[price]\n";
  EXPECT_EQ(code_of([&] { parse(price + "plasticity_exponents = [1]\n"); }), "E107");
  EXPECT_EQ(code_of([&] { parse(price + "plasticity_exponents = [3]\nplasticity = [1]\n"); }), "E104");
  EXPECT_EQ(code_of([&] { parse(price + "maintenance = 1\n"); }), "E401");
  EXPECT_EQ(code_of([&] { parse("[problem]\nhorizon = 41\n" + k_modes + "[solver]\nscheme = \"recursion\"\n"); }),
            "E401");
}

TEST(ModeToml, label_noise_gives_both_captures) {
  const std::string begin = k_problem + k_modes + "[data_fraction]\n";
  const ModeProblem p = parse(begin + "label_noise = {fraction = 0.1, ratio = 9}\n");
  EXPECT_EQ(p.data_signal.kind(), CaptureCurve::Kind::contaminated_signal);
  EXPECT_EQ(p.data_noise.kind(), CaptureCurve::Kind::contaminated_noise);
  const ModeProblem again = parse(to_toml(p));
  EXPECT_EQ(again.data_noise.kind(), CaptureCurve::Kind::contaminated_noise);
  EXPECT_EQ(again.data_signal.value(.2), p.data_signal.value(.2));
  EXPECT_EQ(again.data_noise.outlier_ratio(), 9);
  EXPECT_EQ(code_of([&] { parse(begin + "label_noise = {fraction = 2, ratio = 9}\n"); }), "E104");
  EXPECT_EQ(code_of([&] { parse(begin + "label_noise = {fraction = 0.1}\n"); }), "E105");
  EXPECT_EQ(code_of([&] { parse(begin + "label_noise = \"laplace\"\n"); }), "E103");
  EXPECT_EQ(code_of([&] { parse(begin + "label_noise = {fraction = 0.1, ratio = 9}\ncapture = \"gaussian\"\n"); }),
            "E107");
}

TEST(ModeToml, plans_keep_their_energy_by_term) {
  Plan plan;
  plan.problem = parse(k_problem + k_modes);
  plan.trajectory.time = {0, 40};
  plan.trajectory.data_fraction = plan.trajectory.weight_fraction = plan.trajectory.learning_rate = {1};
  plan.trajectory.loss = {1, .5};
  plan.trajectory.energy = {0, 3};
  plan.energy_terms = {.1, .2, .3, .4, .5, .6, .7};
  const Plan again = eos::io::plan_from(eos::io::to_dataset(plan));
  EXPECT_EQ(again.energy_terms.cache, .7);
  EXPECT_EQ(again.energy_terms.total(), plan.energy_terms.total());
}

}  // namespace
