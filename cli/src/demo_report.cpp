// How the demonstration is told: tables, sentences, picture, file. Every number comes from the runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "demo.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"
#include "figures.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

/// Price lists of the second table, the chosen one first.
std::vector<theory::PriceList> all_lists(const theory::PriceList& chosen) {
  std::vector<theory::PriceList> lists = {chosen};
  for (const std::string& name : theory::builtin_price_names())
    if (name != chosen.name) lists.push_back(theory::builtin_prices(name));
  return lists;
}

BaselineCurve baseline(const DemoResult& result, const theory::PriceList& prices) {
  std::vector<RunSummary> dense;
  for (std::size_t i = 0; i < result.summaries.size(); ++i)
    if (result.is_baseline[i]) dense.push_back(result.summaries[i]);
  return baseline_of(dense, prices);
}

Saving saving_of(const DemoResult& result, std::size_t run, const theory::PriceList& prices) {
  const RunSummary& summary = result.summaries[run];
  return baseline(result, prices).saving(summary.accuracy, summary.energy(prices).total());
}

/// "used 3.1 × less energy than", with the honest sign of a bound.
std::string verdict(const Saving& saving) {
  const double factor = saving.factor;
  switch (saving.bound) {
    case Bound::exact:
      return factor >= 1 ? fmt::format("used {:.1f} × less energy than dense training", factor)
                         : fmt::format("used {:.1f} × more energy than dense training", 1 / factor);
    case Bound::at_least:
      return fmt::format("became more accurate than every dense run and used {:.1f} × {} energy than the dearest of them", std::max(factor, 1 / factor),
                         factor >= 1 ? "less" : "more");
    case Bound::at_most: return fmt::format("stayed below the accuracy of every dense run; its saving is at most {:.1f} ×", factor);
    case Bound::none: break;
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
    text += fmt::format(" Neither Fashion-MNIST nor MNIST was found in {}; 'eos data fetch fashion-mnist' gets it.", fmt::join(sim::data_search_path(), ", "));
  return text;
}

std::string about_savings(const DemoSetup& setup, const DemoResult& result) {
  std::string text = fmt::format("At equal test accuracy, under {} prices:", setup.base.prices.name);
  for (std::size_t i = 0; i < result.runs.size(); ++i)
    if (!result.is_baseline[i]) text += fmt::format("\n- {} {}.", result.runs[i].label, verdict(saving_of(result, i, setup.base.prices)));
  return text;
}

/// Where the saving of the feedback law is largest and smallest among the price lists, and why.
std::string about_prices(const DemoSetup& setup, const DemoResult& result) {
  const std::vector<theory::PriceList> lists = all_lists(setup.base.prices);
  const auto less = [&](const theory::PriceList& a, const theory::PriceList& b) {
    return saving_of(result, result.feedback, a).factor < saving_of(result, result.feedback, b).factor;
  };
  const auto [low, high] = std::minmax_element(lists.begin(), lists.end(), less);
  const RunSummary& dense = result.summaries[result.longest_dense];
  return fmt::format(
      "Prices decide: the same run of the feedback law saves {} under {}, where plasticity is {:.0f} % of dense training, and {} under {}, where it is {:.0f} %.",
      shown(saving_of(result, result.feedback, *high)), high->name, 100 * write_share(dense, *high), shown(saving_of(result, result.feedback, *low)), low->name,
      100 * write_share(dense, *low));
}

std::string about_prediction(const DemoResult& result) {
  const auto describe = [&](const Prediction& p) {
    const RunSummary& run = result.summaries[p.run];
    const double loss = run.validation_loss.back(), energy = run.energy(p.prices).total();
    return fmt::format("- {}: final loss {:.3f} foretold, {:.3f} measured ({:+.1f} %); along the way the median error is {:.0f} %; energy {} foretold, {} measured ({:+.1f} %).",
                       run.label, p.loss, loss, 100 * (p.loss / loss - 1), 100 * error_along_the_way(p, run), si(p.energy, "J"), si(energy, "J"), 100 * (p.energy / energy - 1));
  };
  return fmt::format("Theory against training:\n{}\n{}", describe(result.predictions[0]), describe(result.predictions[1]));
}

/// How much the size of the test set alone leaves open: binomial standard error, as a factor of energy on the dense curve.
std::string about_noise(const DemoSetup& setup, const DemoResult& result) {
  const RunSummary& run = result.summaries[result.feedback];
  const double samples = run.spec.data.test_samples;
  const double error = std::sqrt(run.accuracy * (1 - run.accuracy) / samples);
  std::string text = fmt::format("One seed each, and {:.0f} test samples fix an accuracy to ± {:.2f} points only", samples, 100 * error);
  const BaselineCurve curve = baseline(result, setup.base.prices);
  const std::vector<BaselineCurve::Point>& points = curve.points();
  if (points.size() > 1) {
    const double slope = std::log(points.back().energy / points.front().energy) / (points.back().accuracy - points.front().accuracy);
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
      "  eos plan {0} --prices {2} --target-loss {3:.3f} --epochs {4:g} -o plan.h5 --plot plan.png\n"
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
  add_savings_table(document, result.summaries, result.is_baseline, all_lists(setup.base.prices));
  add_predictions(document, result.predictions, result.summaries);
  document.note(about_savings(setup, result));
  document.note(about_prices(setup, result));
  document.note(about_prediction(result));
  document.note(about_noise(setup, result));
  document.note(what_next(setup, result));
  return document;
}

namespace {

io::Line line(const std::string& label, std::vector<double> x, std::vector<double> y, int colour, bool dashed) {
  io::Line result;
  result.label = label;
  result.x = std::move(x), result.y = std::move(y);
  result.colour = colour;
  result.dashed = dashed;
  return result;
}

io::Panel schedule_panel(const DemoResult& result) {
  io::Panel panel;
  panel.title = "Which share is learned and written";
  panel.x_label = "epoch", panel.y_label = "share";
  panel.log_y = true;
  const std::vector<double>& edges = result.predictions[1].epoch;
  const auto steps = [&](const std::string& label, const std::vector<double>& values, int colour) {
    io::Line curve = line(label, edges, values, colour, false);
    curve.steps = true;
    panel.lines.push_back(std::move(curve));
  };
  steps("samples ρ, plan", result.plan.trajectory.data_fraction, 0);
  steps("weights κ, plan", result.plan.trajectory.weight_fraction, 1);
  const RunSummary& law = result.summaries[result.feedback];
  panel.lines.push_back(line("samples, feedback law", law.epoch, law.data_fraction, 0, true));
  panel.lines.push_back(line("weights, feedback law", law.epoch, law.weight_fraction, 1, true));
  return panel;
}

io::Panel loss_panel(const DemoResult& result) {
  io::Panel panel;
  panel.title = "Foretold (lines) and measured (points)";
  panel.x_label = "epoch", panel.y_label = "validation loss";
  const auto add = [&](const Prediction& prediction, const std::string& label, int colour) {
    panel.lines.push_back(line(label + ", foretold", prediction.epoch, prediction.loss_curve, colour, false));
    const RunSummary& summary = result.summaries[prediction.run];
    io::Line measured = line(label + ", measured", summary.epoch, summary.validation_loss, colour, false);
    measured.points = true, measured.line = false;
    panel.lines.push_back(std::move(measured));
  };
  add(result.predictions[0], "dense", 0);
  add(result.predictions[1], "plan", 1);
  return panel;
}

}  // namespace

io::Figure demo_figure(const DemoSetup& setup, const DemoResult& result) {
  io::Figure figure;
  figure.title = fmt::format("What a given accuracy costs: {}", result.data_name);
  std::vector<int> widths = setup.base.network.hidden;
  figure.caption = fmt::format("hidden layers {}, batch {}, {:g} epochs, seed {}, prices {}: {}", fmt::join(widths, "-"), setup.base.batch, setup.base.epochs,
                               setup.base.seeds.front(), setup.base.prices.name, setup.base.prices.title);
  figure.panels = {accuracy_energy_panel(result.summaries, result.is_baseline, setup.base.prices), schedule_panel(result), loss_panel(result),
                   energy_bars(result.summaries, setup.base.prices)};
  return figure;
}

core::Dataset demo_dataset(const DemoSetup& setup, const DemoResult& result, const std::string& command_line) {
  core::Dataset data;
  const std::vector<theory::PriceList> lists = all_lists(setup.base.prices);
  const auto term_names = theory::terms(theory::Energy{});
  data.add_dim("method", static_cast<std::int64_t>(result.runs.size()), "method");
  data.add_dim("price_list", static_cast<std::int64_t>(lists.size()), "price list");
  data.add_dim("energy_term", static_cast<std::int64_t>(term_names.size()), "term of the energy");
  std::vector<std::string> labels, list_names, terms;
  std::vector<double> accuracy, seen, backward, writes, path, energy, by_term, saving, predicted_loss, predicted_energy, measured_loss;
  std::vector<std::string> bound;
  for (const theory::PriceList& prices : lists) list_names.push_back(prices.name);
  for (const auto& [name, unused] : term_names) terms.push_back(name);
  for (std::size_t i = 0; i < result.runs.size(); ++i) {
    const RunSummary& run = result.summaries[i];
    labels.push_back(run.label);
    accuracy.push_back(run.accuracy);
    seen.push_back(static_cast<double>(run.total.samples_seen));
    backward.push_back(static_cast<double>(run.total.samples_backward));
    writes.push_back(static_cast<double>(run.total.writes));
    path.push_back(run.total.path_length);
    measured_loss.push_back(run.validation_loss.back());
    const auto foretold = std::find_if(result.predictions.begin(), result.predictions.end(), [i](const Prediction& p) { return p.run == i; });
    predicted_loss.push_back(foretold == result.predictions.end() ? std::nan("") : foretold->loss);
    predicted_energy.push_back(foretold == result.predictions.end() ? std::nan("") : foretold->energy);
    for (const theory::PriceList& prices : lists) {
      const theory::Energy e = run.energy(prices);
      energy.push_back(e.total());
      for (const auto& [name, joules] : theory::terms(e)) by_term.push_back(joules);
      const Saving s = result.is_baseline[i] ? Saving{1, Bound::exact} : saving_of(result, i, prices);
      saving.push_back(number_of(s));
      bound.push_back(sign(s));
    }
  }
  data.add("label", {"method"}, labels, "1", "name of the method");
  data.add("price_list_name", {"price_list"}, list_names, "1", "name of the price list; the first one is what the plan minimised");
  data.add("energy_term_name", {"energy_term"}, terms, "1", "name of the term");
  data.add("test_accuracy", {"method"}, accuracy, "1", "final test accuracy");
  data.add("samples_seen", {"method"}, seen, "1", "samples forwarded");
  data.add("samples_backward", {"method"}, backward, "1", "samples back-propagated");
  data.add("writes", {"method"}, writes, "1", "M_0, parameters whose stored value changed");
  data.add("path_length", {"method"}, path, "1", "M_1, sum of |dw|");
  data.add("energy", {"method", "price_list"}, energy, "J", "modelled energy of training");
  data.add("energy_by_term", {"method", "price_list", "energy_term"}, by_term, "J", "modelled energy by term");
  data.add("saving", {"method", "price_list"}, saving, "1", "energy of dense training at the same test accuracy / energy");
  data.add("saving_bound", {"method", "price_list"}, bound, "1", "= interpolated; >= or <=: accuracy above or below all dense runs");
  data.add("measured_loss", {"method"}, measured_loss, "1", "final validation loss");
  data.add("predicted_loss", {"method"}, predicted_loss, "1", "final validation loss foretold by the fitted model");
  data.add("predicted_energy", {"method"}, predicted_energy, "J", "energy foretold under the first price list");
  data.attributes["kind"] = std::string("demo");
  data.attributes["data"] = result.data_name;
  for (const DemoRun& run : result.runs) data.groups[run.name] = run.table;
  data.groups["plan"] = io::to_dataset(result.plan);
  data.groups["plan"].attributes["epochs"] = setup.base.epochs;
  data.groups["plan"].attributes["prices"] = setup.base.prices.name;
  data.groups["dense_prediction"] = io::to_dataset(result.dense_prediction);
  data.groups["calibration"] = io::to_dataset(result.calibration);
  data.groups["calibration"].groups["provenance"].attributes["effective_toml"] = io::to_toml(setup.base);
  add_origin(data, fmt::format("eos demo on {}", result.data_name), io::to_toml(setup.base), command_line);
  data.groups["provenance"].attributes["seconds"] = result.seconds;
  return data;
}

}  // namespace eos::cli
