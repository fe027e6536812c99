// eos plan: from a problem, a plan request or a calibration to the schedule of least energy and its certificate.
#include <fmt/format.h>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "eos/kernels/device.hpp"
#include "eos/solvers/fit.hpp"
#include "eos/solvers/solve.hpp"
#include "figures.hpp"
#include "files.hpp"
#include "plan_control.hpp"
#include "plan_front.hpp"
#include "plan_sweep.hpp"

namespace eos::cli {

namespace {

/// Options that only make sense for a calibrated plan.
const std::vector<std::string> k_goal_options = {"prices",          "epochs",    "target-loss",
                                                 "terminal-weight", "intervals", "all-data",
                                                 "all-weights",     "discard",   "free-horizon"};

void apply_options(const Arguments& arguments, io::PlanRequest& request) {
  if (arguments.has("prices")) request.prices = io::read_prices(arguments.text("prices"));
  if (arguments.has("epochs")) request.epochs = arguments.number("epochs");
  if (arguments.has("target-loss")) request.target_loss = arguments.number("target-loss"), request.terminal_weight = 0;
  if (arguments.has("terminal-weight"))
    request.terminal_weight = arguments.number("terminal-weight"), request.target_loss = 0;
  if (arguments.has("intervals")) request.intervals = static_cast<int>(arguments.integer("intervals"));
  if (arguments.has("all-data")) request.select_data = false;
  if (arguments.has("all-weights")) request.select_weights = false;
  if (arguments.has("discard")) request.accumulate = false;
  if (arguments.has("free-horizon")) request.free_horizon = true;
}

theory::Plan plan_calibrated(const theory::Calibration& calibration, const io::PlanRequest& request) {
  if (request.target_loss <= 0 && request.terminal_weight <= 0)
    throw core::Error("E105", "a calibrated plan needs a goal",
                      "give --target-loss L, the validation loss to reach, or --terminal-weight J, the joules one unit "
                      "of loss is worth");
  solvers::PlanGoal goal;
  goal.prices = request.prices;
  goal.epochs = request.epochs;
  goal.target_loss = request.target_loss;
  goal.terminal_weight = request.terminal_weight;
  goal.intervals = request.intervals;
  goal.accumulate = request.accumulate;
  goal.select_data = request.select_data;
  goal.select_weights = request.select_weights;
  goal.free_horizon = request.free_horizon;
  return solvers::plan(calibration, goal);
}

/// The plan and the configuration that makes it again.
struct Made {
  theory::Plan plan;
  std::string config;
  double epochs = 0;   ///< horizon of a calibrated plan
  std::string prices;  ///< list of a calibrated plan
  std::string note;    ///< what else to tell
};

Made made_from(const theory::Calibration& calibration, const io::PlanRequest& request) {
  Made made{plan_calibrated(calibration, request), io::to_toml(request), 0, request.prices.name, {}};
  made.epochs = made.plan.problem.horizon_epochs;
  return made;
}

/// The problem stated in the file. throws when options are given that only a calibrated plan understands.
theory::ModeProblem mode_problem(const Arguments& arguments, const io::Overrides& overrides) {
  const std::string path = arguments.text("FILE");
  require_kind(path, io::FileKind::problem, "eos plan");
  for (const std::string& option : k_goal_options)
    if (arguments.given.count(option) != 0)
      throw core::Error("E100",
                        fmt::format("--{} is for calibrated plans, and {} states a problem of its own", option, path),
                        "change the file or use --set, e.g. --set problem.horizon=80");
  return io::read_problem(path, overrides);
}

/// The plan of the file under these overrides and the options of the command line.
Made make_plan(const Arguments& arguments, const io::Overrides& overrides) {
  const std::string path = arguments.text("FILE");
  if (!is_toml(path)) {
    if (!overrides.set.empty())
      throw core::Error("E100", "--set needs a TOML file", "use the options of 'eos plan --help' for a calibration");
    io::PlanRequest request;
    request.calibration = path;
    request.prices = io::read_prices("metabolic-m0");
    apply_options(arguments, request);
    return made_from(read_calibration(path), request);
  }
  const io::FileKind kind = io::kind_of(path);
  if (kind == io::FileKind::plan) {
    io::PlanRequest request = io::read_plan_request(path, overrides);
    apply_options(arguments, request);
    return made_from(read_calibration(request.calibration), request);
  }
  const theory::ModeProblem problem = mode_problem(arguments, overrides);
  if (!arguments.has("budget")) return {solvers::solve(problem), io::to_toml(problem), 0, {}, {}};
  solvers::BudgetPlan within = plan_within(problem, arguments.text("budget"));
  return {std::move(within.point.plan), io::to_toml(problem), 0, {}, "budget: " + within.message};
}

void add_schedule(Document& document, const theory::Plan& plan) {
  constexpr std::size_t k_rows_in_text = 12;
  Table& table = document.table("schedule", "",
                                {{"time", "time (steps)", Style::number},
                                 {"data_fraction", "samples ρ", Style::percent},
                                 {"weight_fraction", "weights κ", Style::percent},
                                 {"learning_rate", "rate η", Style::number},
                                 {"loss", "excess loss", Style::number},
                                 {"energy", "energy so far", Style::energy}});
  table.text_rows = k_rows_in_text;
  const theory::Trajectory& t = plan.trajectory;
  for (std::size_t i = 0; i < t.data_fraction.size(); ++i)
    table.add(
        {t.time[i + 1], t.data_fraction[i], t.weight_fraction[i], t.learning_rate[i], t.loss[i + 1], t.energy[i + 1]});
}

Document report(const theory::Plan& plan) {
  Document document("eos.plan_table/1");
  document.set("title", plan.problem.title, plan.problem.title.empty() ? "" : "problem");
  document.set("status", theory::to_string(plan.status), "status");
  if (!plan.message.empty()) document.set("message", plan.message, "because");
  add_schedule(document, plan);
  document.set("objective", plan.objective, "objective J", Style::precise);
  document.set("terminal_loss", plan.terminal_loss, "final excess loss", Style::precise);
  if (plan.problem.loss_offset != 0)
    document.set("predicted_loss", plan.terminal_loss + plan.problem.loss_offset, "final loss", Style::precise);
  document.set("energy", plan.energy, "energy", Style::energy);
  document.set("energy_bound", plan.certificate.energy_bound, "no schedule needs less than", Style::energy);
  document.set("efficiency", plan.certificate.efficiency, "efficiency", Style::percent);
  document.set("bound_statement", plan.certificate.bound_statement, "bound counts");
  document.set("stationarity_residual", plan.certificate.stationarity_residual, "stationarity residual", Style::number);
  document.set("hamiltonian_drift", plan.certificate.hamiltonian_drift, "Hamiltonian drift", Style::number);
  document.set("rate_condition", plan.certificate.rate_condition, "learning-rate condition", Style::number);
  document.set("data_condition", plan.certificate.data_condition, "condition for ρ", Style::number);
  document.set("weight_condition", plan.certificate.weight_condition, "condition for κ", Style::number);
  document.set("interior_intervals", std::int64_t{plan.certificate.interior_intervals}, "interior intervals");
  document.set("starts", std::int64_t{plan.starts}, "starts");
  document.set("iterations", std::int64_t{plan.iterations}, "iterations");
  document.set("solve_seconds", plan.solve_seconds, "solved in", Style::seconds);
  return document;
}

std::string what_next(const Made& made, const std::string& out) {
  if (made.epochs <= 0) return fmt::format("Stored in {}. Next: eos show {} --plot plan.png", out, out);
  return fmt::format(
      "Stored in {0}. To train with it, take the training file that was calibrated:\n"
      "  eos train FILE.toml -o planned.h5 --set train.epochs={1:g} --set selection.method=schedule --set "
      "plasticity.method=schedule-feedback --set optimiser.law=schedule --set schedule.file={0}",
      out, made.epochs);
}

/// Batches are solved in double precision, on the CPU or a CUDA device.
void choose_device(const std::string& text, solvers::BatchOptions& options) {
  const kernels::DeviceName name = kernels::parse_device(text);
  if (name.says_products)
    throw core::Error("E106", fmt::format("--device cannot be '{}': plans are solved in double precision", text),
                      "leave out the precision, e.g. --device cuda or --device cuda:1");
  const bool cuda = name.backend == kernels::Backend::cuda || (name.automatic && solvers::batch_cuda_available());
  options.device = cuda ? solvers::BatchDevice::cuda : solvers::BatchDevice::cpu;
  options.cuda_index = name.index;
}

int sweep(Session& session) {
  const Arguments& arguments = session.arguments;
  std::vector<SweepAxis> axes;
  for (const std::string& text : arguments.list("sweep")) axes.push_back(parse_axis(text));
  const auto with = [&arguments](const std::vector<std::string>& overrides) {
    io::Overrides all{arguments.list("set")};
    all.set.insert(all.set.end(), overrides.begin(), overrides.end());
    return all;
  };
  core::Dataset table;
  if (arguments.has("batched")) {
    solvers::BatchOptions options;
    options.threads = session.threads();
    choose_device(arguments.text("device"), options);
    table = sweep_in_batch(
        axes, [&](const auto& point) { return mode_problem(arguments, with(point)); }, options);
  } else {
    table = sweep_plans(
        axes, [&](const auto& point) { return io::to_dataset(make_plan(arguments, with(point)).plan); },
        session.progress(), session.threads());
  }
  return finish_plans(session, table, sweep_report(table, axes), sweep_figure(table, axes));
}

int pareto(Session& session) {
  const Arguments& arguments = session.arguments;
  const theory::ModeProblem problem = mode_problem(arguments, {arguments.list("set")});
  Front front = trace(problem, arguments.text("pareto"), session);
  return finish_plans(session, front.table, front_report(front), front_figure(front));
}

}  // namespace

int run_plan(Session& session) {
  const Arguments& arguments = session.arguments;
  if (arguments.has("out")) require_writable(arguments.text("out"));
  if (is_control_problem(arguments)) return run_plan_control(session);
  if (arguments.has("sweep")) return sweep(session);
  if (arguments.has("pareto")) return pareto(session);
  const Made made = make_plan(arguments, {arguments.list("set")});
  core::Dataset table = io::to_dataset(made.plan);
  add_origin(table, made.plan.problem.title.empty() ? "plan" : made.plan.problem.title, made.config,
             arguments.command_line);
  if (made.epochs > 0) {
    table.attributes["epochs"] = made.epochs;  // ties the schedule to a data set
    table.attributes["prices"] = made.prices;
  }
  if (arguments.has("out")) io::write_hdf5(arguments.text("out"), table);
  if (arguments.has("plot")) io::write_png(arguments.text("plot"), plan_figure(table));
  Document document = report(made.plan);
  if (!made.note.empty()) document.note(made.note);
  if (arguments.has("out")) document.note(what_next(made, arguments.text("out")));
  if (session.format == Format::json)
    session.out << io::to_json(made.plan);
  else
    session.print(document);
  return made.plan.status == theory::SolveStatus::not_finite ? k_check_failed : k_done;
}

}  // namespace eos::cli
