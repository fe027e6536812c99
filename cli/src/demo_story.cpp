// How the demonstration is told: tables and sentences. Every number in them comes from the runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "demo.hpp"

namespace eos::cli {

namespace {

/// "used 3.1 × less energy than", with the honest sign of a bound.
std::string verdict(const Saving& saving) {
  const double factor = saving.factor;
  switch (saving.bound) {
    case Bound::exact:
      return factor >= 1 ? fmt::format("used {:.1f} × less energy than dense training", factor)
                         : fmt::format("used {:.1f} × more energy than dense training", 1 / factor);
    case Bound::at_least:
      return fmt::format(
          "became more accurate than every dense run and used {:.1f} × {} energy than the dearest of them",
          std::max(factor, 1 / factor), factor >= 1 ? "less" : "more");
    case Bound::at_most:
      return fmt::format("stayed below the accuracy of every dense run; its saving is at most {:.1f} ×", factor);
    case Bound::none:
      break;
  }
  return "cannot be compared";
}

double write_share(const RunSummary& run, const theory::PriceList& prices) {
  const theory::Energy e = run.energy(prices);
  return (e.write + e.path + e.accumulator + e.maintenance) / e.total();
}

std::string about_data(const DemoSetup& setup, const DemoResult& result) {
  if (result.data_name != "teacher") return fmt::format("Data: {} from {}.", result.data_name, result.data_origin);
  std::string text = "Data: a generated teacher task. The numbers show the machinery, not a result on real data.";
  if (setup.base.data.name == "auto")
    text += fmt::format(" Neither Fashion-MNIST nor MNIST was found in {}; 'eos data fetch fashion-mnist' gets it.",
                        fmt::join(sim::data_search_path(), ", "));
  return text;
}

std::string about_savings(const DemoSetup& setup, const DemoResult& result) {
  std::string text = fmt::format("At equal test accuracy, under {} prices:", setup.base.prices.name);
  for (std::size_t i = 0; i < result.runs.size(); ++i)
    if (!result.is_baseline[i])
      text += fmt::format("\n- {} {}.", result.runs[i].label, verdict(result.saving(i, setup.base.prices)));
  return text;
}

/// Where the saving of the feedback law is largest and smallest among the price lists, and why.
std::string about_prices(const DemoSetup& setup, const DemoResult& result) {
  const std::vector<theory::PriceList> lists = demo_price_lists(setup);
  const auto less = [&](const theory::PriceList& a, const theory::PriceList& b) {
    return result.saving(result.feedback, a).factor < result.saving(result.feedback, b).factor;
  };
  const auto [low, high] = std::minmax_element(lists.begin(), lists.end(), less);
  const RunSummary& dense = result.summaries[result.longest_dense];
  return fmt::format(
      "Prices decide: the same run of the feedback law saves {} under {}, where plasticity is {:.0f} % of dense "
      "training, and {} under {}, where it is {:.0f} %.",
      shown(result.saving(result.feedback, *high)), high->name, 100 * write_share(dense, *high),
      shown(result.saving(result.feedback, *low)), low->name, 100 * write_share(dense, *low));
}

std::string about_prediction(const DemoResult& result) {
  const auto describe = [&](const Prediction& p) {
    const RunSummary& run = result.summaries[p.run];
    const double loss = run.validation_loss.back(), energy = run.energy(p.prices).total();
    return fmt::format(
        "- {}: final loss {:.3f} foretold, {:.3f} measured ({:+.1f} %); along the way the median error is {:.0f} %; "
        "energy {} foretold, {} measured ({:+.1f} %).",
        run.label, p.loss, loss, 100 * (p.loss / loss - 1), 100 * error_along_the_way(p, run), si(p.energy, "J"),
        si(energy, "J"), 100 * (p.energy / energy - 1));
  };
  return fmt::format("Theory against training:\n{}\n{}", describe(result.predictions[0]),
                     describe(result.predictions[1]));
}

/// How much the size of the test set alone leaves open: binomial standard error, as a factor of energy on the dense
/// curve.
std::string about_noise(const DemoSetup& setup, const DemoResult& result) {
  const RunSummary& run = result.summaries[result.feedback];
  const double samples = run.spec.data.test_samples;
  const double error = std::sqrt(run.accuracy * (1 - run.accuracy) / samples);
  std::string text = fmt::format("One seed each, and {:.0f} test samples fix an accuracy to ± {:.2f} points only",
                                 samples, 100 * error);
  const BaselineCurve curve = result.baseline(setup.base.prices);
  const std::vector<BaselineCurve::Point>& points = curve.points();
  if (points.size() > 1) {
    const double slope =
        std::log(points.back().energy / points.front().energy) / (points.back().accuracy - points.front().accuracy);
    text += fmt::format(", which is a factor of {:.2f} in energy on the dense curve", std::exp(slope * error));
  }
  return text + ": small differences mean nothing before they are repeated with several seeds.";
}

std::string what_next(const DemoSetup& setup, const DemoResult& result) {
  const double target = result.predictions[0].loss;
  return fmt::format(
      "Stored in {0} and {1}. What to try next:\n"
      "  eos show {0} --group feedback_law --config > joint.toml\n"
      "  eos train joint.toml -o joint.h5 --set train.seeds=[1,2,3,4,5]\n"
      "  eos compare {0} joint.h5 --prices all\n"
      "  eos plan {0} --prices {2} --target-loss {3:.3f} --epochs {4:g} --free-horizon -o plan.h5 --plot plan.png\n"
      "  eos explain joint",
      setup.h5, setup.png, setup.base.prices.name == "hbm2" ? "metabolic" : "hbm2", target, setup.base.epochs);
}

}  // namespace

Document demo_document(const DemoSetup& setup, const DemoResult& result) {
  Document document("eos.demo/1");
  document.set("data", result.data_name);
  document.set("seconds", result.seconds);
  document.set("file", setup.h5);
  document.set("picture", setup.png);
  document.note(about_data(setup, result));
  add_cost_table(document, result.summaries, result.is_baseline, setup.base.prices);
  add_savings_table(document, result.summaries, result.is_baseline, demo_price_lists(setup));
  add_predictions(document, result.predictions, result.summaries);
  document.note(about_savings(setup, result));
  document.note(about_prices(setup, result));
  document.note(about_prediction(result));
  document.note(about_noise(setup, result));
  document.note(what_next(setup, result));
  return document;
}

}  // namespace eos::cli
