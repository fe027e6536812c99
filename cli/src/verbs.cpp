// The table of verbs and options. Help, completion and the manual are made from it.
#include "commands.hpp"
#include "energy.hpp"
#include "eos/theory/control_problem.hpp"
#include "verb_options.hpp"

namespace eos::cli {

namespace {

Verb demo_verb() {
  return {
      .name = "demo",
      .summary = "calibrate, plan, train and compare on real data in about a minute",
      .description =
          "Runs the whole loop on Fashion-MNIST if it is found (see 'eos data list'), otherwise on a generated task: "
          "probes a 784-256-256-10 network, fits the reduced model, computes the energy-optimal schedule, trains "
          "dense, progressive data dropout, error feedback, the plan and the feedback law, and prints what each of "
          "them cost at equal accuracy, with the prediction beside the measurement. Everything is stored in one HDF5 "
          "file and drawn in one picture.",
      .options = {out_option("files to write: NAME.h5 and NAME.png; a folder gets demo.h5 and demo.png (default: demo)",
                             "NAME"),
                  prices_option(
                      "price list that the plan minimises and the first table uses; all others are in the second table",
                      "metabolic-m0"),
                  {.name = "data",
                   .kind = ValueKind::choice,
                   .value = "NAME",
                   .help = "data set",
                   .choices = {"auto", "fashion-mnist", "mnist", "teacher"},
                   .fallback = "auto"},
                  {.name = "epochs",
                   .kind = ValueKind::number,
                   .value = "E",
                   .help = "horizon of the methods in passes over the data; dense training is run at a quarter, half "
                           "and all of it",
                   .fallback = "6",
                   .minimum = 0.1},
                  {.name = "seed",
                   .kind = ValueKind::integer,
                   .value = "N",
                   .help = "seed of all runs",
                   .fallback = "1",
                   .environment = "EOS_SEED"},
                  threads_option(),
                  {.name = "quick",
                   .help = "a small network on a small generated task: a test of the installation in seconds"}},
      .examples = {{"eos demo", "the full demonstration; writes demo.h5 and demo.png"},
                   {"eos demo --quick -o /tmp/try", "the same loop on a toy task, a few seconds"},
                   {"eos demo --prices hbm2", "plan for a chip with its weights in HBM2 memory"}},
      .run = run_demo};
}

Verb data_verb() {
  return {
      .name = "data",
      .summary = "list, fetch, verify or show data sets",
      .description =
          "list: the data sets eos knows and where they were found. fetch NAME: download one, verify its checksums, "
          "and put it in a folder of the search path. check: verify the checksums of what was found. show NAME: shape, "
          "classes and splits of a set, or of the [data] of a training file.",
      .positionals = {{.name = "ACTION",
                       .kind = ValueKind::choice,
                       .help = "list, fetch, check or show",
                       .choices = {"list", "fetch", "check", "show"}},
                      {.name = "NAME", .help = "name of a data set; show: or FILE.toml", .required = false}},
      .options = {{.name = "to",
                   .kind = ValueKind::folder,
                   .value = "FOLDER",
                   .help = "fetch into FOLDER/NAME",
                   .fallback = "data"}},
      .examples = {{"eos data list", "what is there, and where eos looks"},
                   {"eos data fetch fashion-mnist", "download into ./data/fashion-mnist"},
                   {"eos data check", "recompute all checksums"},
                   {"eos data show markov", "what a generated set looks like, with the floor of its loss"}},
      .run = run_data};
}

Verb calibrate_verb() {
  return {.name = "calibrate",
          .summary = "measure on the real network and data what the reduced model needs",
          .description =
              "Trains short dense probes of the network described in FILE.toml and measures the capture of samples and "
              "of writes, the noise scale and the relative clock rates of selection and accumulation; then fits the "
              "spectrum, the noise and the offset of the mode model to the probes' loss curves, with standard errors "
              "and the error on a probe that the fit did not see. 'eos plan' reads the result.",
          .positionals = {{.name = "FILE.toml",
                           .kind = ValueKind::file,
                           .help = "a training file; its selection and plasticity are set to dense"}},
          .options = {out_option("where to store the calibration"),
                      set_option(),
                      plot_option("draw the measured curves and the fit"),
                      {.name = "probe-epochs",
                       .kind = ValueKind::number,
                       .value = "E",
                       .help = "length of each loss probe",
                       .fallback = "1",
                       .minimum = 0.05},
                      {.name = "capture-samples",
                       .kind = ValueKind::integer,
                       .value = "N",
                       .help = "training samples per capture snapshot",
                       .fallback = "2000",
                       .minimum = 10},
                      threads_option()},
          .examples = {{"eos calibrate examples/fashion_dense.toml -o calibration.h5",
                        "measure, print the table, store it"},
                       {"eos calibrate examples/fashion_dense.toml -o calibration.h5 --plot calibration.png",
                        "and draw it"}},
          .run = run_calibrate};
}

Verb plan_verb() {
  return {
      .name = "plan",
      .summary = "solve for the schedule of least energy, with a certificate of optimality",
      .description =
          "FILE is a mode problem ([problem] in TOML), a plan request ([plan] in TOML, names a calibration), a "
          "calibration (.h5) with the options below, or a control problem: [control_problem], [states], ... state any "
          "problem by its formulas, [model] names one of the literature. Prints the optimal controls over time, what "
          "they cost, and how well the optimality conditions hold. With -o the plan is stored; 'eos train' follows a "
          "schedule of data and weight fractions when a training file names it.",
      .positionals = {{.name = "FILE",
                       .kind = ValueKind::file,
                       .help = "problem, model or plan request (.toml), or calibration (.h5)"}},
      .options =
          {out_option("where to store the plan"),
           set_option(),
           plot_option("draw the controls, the states or loss and energy, and the costates"),
           {.name = "method",
            .kind = ValueKind::choice,
            .value = "NAME",
            .help = "solver of a control problem; 'eos explain NAME' says more",
            .choices = theory::method_names(),
            .fallback = "auto"},
           {.name = "tolerance",
            .kind = ValueKind::number,
            .value = "EPS",
            .help = "relative error that a control problem is solved to (default: 1e-9)",
            .minimum = 0},
           {.name = "batched",
            .help = "with --sweep: solve all points in lockstep, for hundreds of points and more; no certificates"},
           {.name = "device",
            .kind = ValueKind::device,
            .value = "NAME",
            .help = "where --batched runs: auto, cpu, cuda or, by number, cuda:N",
            .choices = {"auto", "cpu", "cuda"},
            .fallback = "cpu"},
           {.name = "pareto",
            .kind = ValueKind::text,
            .value = "TERM[=FACTORS]",
            .help = "Pareto front: scale one term of the objective (loss, energy, or a single price) by factors "
                    "from:to:count[:log] and solve for each (default 0.1:10:21:log)"},
           {.name = "budget",
            .kind = ValueKind::text,
            .value = "TERM=LIMIT",
            .help = "spend at most LIMIT on a term, e.g. energy=0.05, instead of pricing it"},
           {.name = "sweep",
            .kind = ValueKind::text,
            .value = "KEY=VALUES",
            .help = "solve for every value of a key: from:to:count, from:to:count:log or a list with commas; "
                    "may be repeated for a grid",
            .repeated = true},
           threads_option(),
           prices_option("price list of a calibrated plan: a built-in name or a TOML file"),
           {.name = "epochs",
            .kind = ValueKind::number,
            .value = "E",
            .help = "horizon of a calibrated plan in passes over the data",
            .minimum = 1e-3},
           {.name = "target-loss",
            .kind = ValueKind::number,
            .value = "L",
            .help = "validation loss that a calibrated plan must reach for the least energy"},
           {.name = "terminal-weight",
            .kind = ValueKind::number,
            .value = "J",
            .help = "joules that one unit of final loss is worth; instead of --target-loss"},
           {.name = "intervals",
            .kind = ValueKind::integer,
            .value = "N",
            .help = "intervals of constant control of a calibrated plan, or of the first mesh of a control problem",
            .minimum = 1},
           {.name = "all-data", .help = "calibrated plan without a choice of samples"},
           {.name = "all-weights", .help = "calibrated plan without a choice of weights"},
           {.name = "discard", .help = "calibrated plan in which unwritten updates are lost instead of accumulated"},
           {.name = "free-horizon", .help = "choose the horizon of least energy, up to --epochs; needs --target-loss"}},
      .examples = {{"eos plan examples/reference_ranked.toml", "solve a written-down problem and print the schedule"},
                   {"eos plan examples/reference_ranked.toml --set problem.horizon=80 -o plan.h5 --plot plan.png",
                    "a longer horizon, stored and drawn"},
                   {"eos plan examples/gold/van_der_pol.toml --set controls.u.upper=0.5 --plot plan.png",
                    "a problem stated by its formulas, with another bound"},
                   {"eos plan calibration.h5 --prices hbm2 --target-loss 0.35 --epochs 6 --free-horizon -o plan.h5",
                    "plan for a network that was measured"}},
      .run = run_plan};
}

Verb train_verb() {
  return {
      .name = "train",
      .summary = "train a network under a method or a plan and count every unit of energy spent",
      .description =
          "Runs the training described in FILE.toml, all its seeds, and writes the trajectory and the energy ledger. A "
          "checkpoint is kept beside the output: after Ctrl-C (exit code 4), a crash or a kill, the same command "
          "resumes where it was and ends with the same content hash. The checkpoint is removed when the run is "
          "complete. A file with [perceptron] runs a grid of perceptrons, with or without synaptic caches; one with "
          "[fly] "
          "simulates flies whose memory costs reserve (docs/fly.md).",
      .positionals = {{.name = "FILE.toml", .kind = ValueKind::file, .help = "a training file, see docs/manual.md"}},
      .options = with(
          {out_option("where to store the run (required)"), set_option(),
           plot_option("draw loss, accuracy, fractions and energy"), device_option(), seed_option(), threads_option()},
          energy_options()),
      .examples = {{"eos train examples/fashion_dense.toml -o dense.h5", "train and store the run"},
                   {"eos train examples/fashion_joint.toml -o joint.h5 --set train.epochs=4 --seed 7",
                    "another horizon, one seed"},
                   {"eos train examples/perceptron_energy.toml -o perceptron.h5 --plot perceptron.png", "perceptrons"},
                   {"eos compare dense.h5 joint.h5", "what to do next"}},
      .run = run_train};
}

Verb compare_verb() {
  return {.name = "compare",
          .summary = "line up runs: energy by term, counts, and the saving at equal accuracy",
          .description =
              "Reads stored runs and prices their ledgers again with every list asked for. The saving is E_baseline(a) "
              "/ E, where a is the run's mean final test accuracy and E_baseline interpolates log energy linearly in "
              "accuracy between the baseline runs; ≥ or ≤ marks accuracies above or below all of them. Dense runs are "
              "the baseline unless --baseline names others; two or more horizons of it are needed for a curve. With "
              "--plan the prediction stands beside the measurement.",
          .positionals = {{.name = "FILE.h5",
                           .kind = ValueKind::file,
                           .help = "runs written by 'eos train', a demo file with several, or a sweep, of which each "
                                   "design point is a run with its seeds",
                           .repeated = true}},
          .options = {prices_option("price lists, comma-separated built-in names or TOML files, or 'all' (default: the "
                                    "list stored in the first run)"),
                      {.name = "baseline",
                       .kind = ValueKind::file,
                       .value = "FILE.h5",
                       .help = "a run of the baseline; may be repeated",
                       .repeated = true},
                      {.name = "plan",
                       .kind = ValueKind::file,
                       .value = "FILE.h5",
                       .help = "the plan that a run followed; may be repeated",
                       .repeated = true},
                      plot_option("draw accuracy against energy and the energy by term")},
          .examples = {{"eos compare dense-*.h5 joint.h5", "the saving of the feedback law at equal accuracy"},
                       {"eos compare demo.h5 --prices all", "the runs of the demonstration under every price list"},
                       {"eos compare dense.h5 planned.h5 --plan plan.h5 --plot compare.png",
                        "prediction against measurement"}},
          .run = run_compare};
}

Option size_option(const std::string& name, const std::string& help) {
  return {.name = name, .kind = ValueKind::integer, .value = "N", .help = help, .minimum = 1};
}

Verb show_verb() {
  return {
      .name = "show",
      .summary = "tell what a file holds, draw it, or show its configuration or its network",
      .description =
          "Lists dimensions, variables and groups of an eos file; of a sweep its axes and the mean and standard error "
          "over seeds of every design point, and with --run one of its runs. --config prints the effective "
          "configuration, "
          "defaults included; running it again gives the same content hash. --plot draws a plan, run or calibration. "
          "--model shows the network of a training file, or of the run in a file: its layers with shapes, parameters "
          "and multiply-adds (MACs), what a sample and a step cost, and the memory of a replica. The shape of the data "
          "is theirs, or what --input or --tokens say.",
      .positionals = {{.name = "FILE", .kind = ValueKind::file, .help = "a file written by eos; a training file"}},
      .options = {{.name = "config", .help = "print the effective configuration (TOML)"},
                  plot_option("draw it"),
                  {.name = "group",
                   .kind = ValueKind::text,
                   .value = "NAME",
                   .help = "a group of the file, e.g. one run of a demo file"},
                  {.name = "run",
                   .kind = ValueKind::integer,
                   .value = "K",
                   .help = "one run of a sweep, counted from 0 (its coordinate `run`)"},
                  {.name = "data", .help = "print all values (JSON or CSV with --format)"},
                  {.name = "model", .help = "show the network instead"},
                  {.name = "input",
                   .kind = ValueKind::text,
                   .value = "SHAPE",
                   .help = "with --model: of a sample, e.g. 32x32x3, instead of that of the data"},
                  size_option("classes", "with --input: classes (default: 10)"),
                  size_option("tokens", "with --model: of a sequence, instead of the data (default: data.sequence)"),
                  size_option("vocabulary", "with --model: kinds of tokens (default: 256)"),
                  set_option()},
      .examples = {{"eos show run.h5", "what is in it"},
                   {"eos show run.h5 --config > again.toml", "then 'eos train again.toml -o again.h5' repeats the run"},
                   {"eos show run.h5 --data --format csv", "the table of the run as CSV"},
                   {"eos show sweep.h5 --run 17 --config", "the configuration of one run of a sweep"},
                   {"eos show --model examples/networks/cnn_s.toml --input 32x32x3", "a network, without its data"}},
      .run = run_show};
}

Verb check_verb() {
  return {.name = "check",
          .summary = "find all problems of TOML or HDF5 files at once",
          .description =
              "TOML: syntax, unknown keys, types, ranges and contradictions, all in one go. HDF5: it opens, it is an "
              "EOS-1 file of a known schema, and its content matches the stored hash.",
          .positionals = {{.name = "FILE", .kind = ValueKind::file, .help = "files to check", .repeated = true}},
          .options = {set_option()},
          .examples = {{"eos check experiment.toml", "before a long run"}, {"eos check *.h5", "after copying files"}},
          .run = run_check};
}

Verb diff_verb() {
  return {
      .name = "diff",
      .summary = "largest distance between two files, variable by variable",
      .description =
          "For each variable: the largest absolute difference, the largest relative difference, and the largest "
          "distance in units in the last place. Exit code 1 when |a - b| > atol + rtol |b| anywhere, or when names or "
          "shapes differ.",
      .positionals = {{.name = "A.h5", .kind = ValueKind::file, .help = "first file"},
                      {.name = "B.h5", .kind = ValueKind::file, .help = "second file"}},
      .options =
          {{.name = "rtol", .kind = ValueKind::number, .value = "R", .help = "relative tolerance", .fallback = "0"},
           {.name = "atol", .kind = ValueKind::number, .value = "A", .help = "absolute tolerance", .fallback = "0"}},
      .examples = {{"eos diff a.h5 b.h5", "bit for bit"}, {"eos diff cpu.h5 gpu.h5 --rtol 1e-5", "within a tolerance"}},
      .run = run_diff};
}

Verb doctor_verb() {
  return {
      .name = "doctor",
      .summary = "report what this build and this machine can do",
      .description =
          "Compiler, CPU features, threads, CUDA, energy meters, HDF5, data sets, environment and the level of "
          "reproducibility. Exit code 3 when something that eos needs is missing.",
      .examples = {{"eos doctor", "for a look, and for problem reports"}, {"eos doctor --format json", "for scripts"}},
      .run = run_doctor};
}

Verb explain_verb() {
  return {.name = "explain",
          .summary = "explain an error code, a method or a price list",
          .description =
              "TOPIC is an error code (E102), a selection or plasticity method (dbpd, error-feedback) or a price list "
              "(hbm2). Without a topic: what there is.",
          .positionals = {{.name = "TOPIC", .help = "error code, method or price list", .required = false}},
          .options = {{.name = "all", .help = "everything"},
                      {.name = "format",
                       .kind = ValueKind::choice,
                       .value = "NAME",
                       .help = "text, json, csv, or markdown (error codes only; docs/errors.md is made so)",
                       .choices = {"text", "json", "csv", "markdown"},
                       .fallback = "text",
                       .environment = "EOS_FORMAT"}},
          .examples = {{"eos explain E102", "an error code"},
                       {"eos explain dbpd", "a method: rule, equation, paper, cost, when to use it"},
                       {"eos explain hbm2", "a price list and its sources"}},
          .run = run_explain};
}

Verb reproduce_verb() {
  return {.name = "reproduce",
          .summary = "compute published numbers anew, with claim, set-up, published value, ours and a verdict",
          .description =
              "Each row is a number or a table from the literature, or a test problem with a known solution. Without a "
              "NAME the rows are listed. Exit code 1 when a row differs by more than it may.",
          .positionals = {{.name = "NAME", .help = "rows to compute", .required = false, .repeated = true}},
          .options = {{.name = "list", .help = "list the rows"},
                      {.name = "fast", .help = "compute the rows that take seconds"},
                      {.name = "all", .help = "compute the rows that take up to a few minutes"},
                      {.name = "full", .help = "compute every row, also those that train on whole data sets"}},
          .examples = {{"eos reproduce --list", "what there is"},
                       {"eos reproduce reference-problem", "one row, with its set-up"},
                       {"eos reproduce --fast --format csv", "all fast rows, for a spreadsheet"}},
          .run = run_reproduce};
}

Verb completion_verb() {
  return {.name = "completion",
          .summary = "print a completion script for bash, zsh or fish",
          .description = "Load it in the shell's start-up file.",
          .positionals = {{.name = "SHELL",
                           .kind = ValueKind::choice,
                           .help = "bash, zsh or fish",
                           .choices = {"bash", "zsh", "fish"}}},
          .examples = {{"source <(eos completion bash)", "bash"}, {"eos completion fish | source", "fish"}},
          .run = run_completion};
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> k_verbs = {demo_verb(),   calibrate_verb(), plan_verb(),      train_verb(),
                                            sweep_verb(),  merge_verb(),     evidence_verb(), compare_verb(),   show_verb(),
                                            check_verb(),  diff_verb(),      data_verb(),      reproduce_verb(),
                                            doctor_verb(), explain_verb(),   completion_verb()};
  return k_verbs;
}

const Verb* find_verb(const std::string& name) {
  for (const Verb& verb : verbs())
    if (verb.name == name) return &verb;
  return nullptr;
}

const std::vector<Option>& global_options() {
  static const std::vector<Option> k_options = {
      {.name = "format",
       .kind = ValueKind::choice,
       .value = "NAME",
       .help = "form of the result on stdout: text, json or csv",
       .choices = {"text", "json", "csv"},
       .fallback = "text",
       .environment = "EOS_FORMAT"},
      {.name = "color",
       .kind = ValueKind::choice,
       .value = "WHEN",
       .help = "auto, always or never; auto obeys NO_COLOR",
       .choices = {"auto", "always", "never"},
       .fallback = "auto",
       .environment = "EOS_COLOR"},
      {.name = "progress",
       .kind = ValueKind::choice,
       .value = "HOW",
       .help = "auto, bar, plain, json or none, on stderr; auto is a bar on a terminal and plain lines elsewhere",
       .choices = {"auto", "bar", "plain", "json", "none"},
       .fallback = "auto",
       .environment = "EOS_PROGRESS"},
      {.name = "quiet", .letter = 'q', .help = "results and errors only"},
      {.name = "verbose", .letter = 'v', .help = "also tell where data were found and how long each stage took"},
      {.name = "help", .letter = 'h', .help = "this text"},
      {.name = "version", .help = "version of eos"}};
  return k_options;
}

std::vector<Option> global_options_beside(const Verb* verb) {
  std::vector<Option> rest = global_options();
  if (verb != nullptr)
    for (const Option& own : verb->options)
      std::erase_if(rest, [&own](const Option& option) { return option.name == own.name; });
  return rest;
}

std::vector<std::pair<std::string, std::string>> environment_variables() {
  return {{"EOS_DATA", "folder with data sets, searched before ./data and /usr/share/datasets"},
          {"EOS_DEVICE", "default of --device"},
          {"EOS_SEED", "default of --seed"},
          {"EOS_THREADS", "default of --threads"},
          {"EOS_PRICES", "default of --prices"},
          {"EOS_ENERGY", "default of --energy"},
          {"EOS_ENERGY_MODEL", "default of --energy-model"},
          {"EOS_CARBON_INTENSITY", "default of --carbon-intensity"},
          {"EOS_PUE", "default of --pue"},
          {"EOS_CARBON_SOURCE", "default of --carbon-source"},
          {"EOS_FORMAT", "default of --format"},
          {"EOS_COLOR", "default of --color"},
          {"EOS_PROGRESS", "default of --progress"},
          {"NO_COLOR", "when set, --color auto means never"}};
}

}  // namespace eos::cli
