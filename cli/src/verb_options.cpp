#include "verb_options.hpp"

namespace eos::cli {

Option out_option(const std::string& what, const std::string& word) {
  return {.name = "out", .letter = 'o', .kind = ValueKind::file, .value = word, .help = what};
}
Option plot_option(const std::string& what) {
  return {.name = "plot", .kind = ValueKind::file, .value = "FILE.png", .help = what};
}
Option set_option() {
  return {
      .name = "set",
      .kind = ValueKind::text,
      .value = "KEY=VALUE",
      .help =
          "override one key of the file, checked like the file itself, e.g. --set selection.tau=0.5; may be repeated",
      .repeated = true};
}
Option device_option() {
  return {.name = "device",
          .kind = ValueKind::device,
          .value = "NAME",
          .help =
              "where to compute: auto, cpu, cuda or, by number, cuda:N; a cuda name may end in how large matrices "
              "are multiplied: :tf32 (the default), :fp32 or :bf16, see docs/gpu.md",
          .choices = {"auto", "cpu", "cuda"},
          .fallback = "auto",
          .environment = "EOS_DEVICE"};
}

Option threads_option() {
  return {.name = "threads",
          .kind = ValueKind::integer,
          .value = "N",
          .help = "worker threads; results do not depend on it (default: all cores)",
          .environment = "EOS_THREADS",
          .minimum = 1};
}
Option seed_option() {
  return {.name = "seed",
          .kind = ValueKind::integer,
          .value = "N",
          .help = "train this one seed instead of those in the file",
          .environment = "EOS_SEED"};
}
Option prices_option(const std::string& help, const std::string& fallback) {
  return {.name = "prices",
          .kind = ValueKind::text,
          .value = "NAME",
          .help = help,
          .fallback = fallback,
          .environment = "EOS_PRICES"};
}

std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace eos::cli
