#include "energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/io/toml.hpp"

namespace eos::cli {

std::vector<Option> energy_options() {
  return {{.name = "energy",
           .kind = ValueKind::choice,
           .value = "METER",
           .help = "what measures joules, stored beside the modelled energy: nvml (GPU), rapl (processor), model "
                   "(--energy-model), none; auto takes what works here, see docs/energy.md",
           .choices = {"auto", "nvml", "rapl", "model", "none"},
           .fallback = "auto",
           .environment = "EOS_ENERGY"},
          {.name = "energy-model",
           .kind = ValueKind::file,
           .value = "FILE.toml",
           .help = "coefficients of this machine, for when it has no meter",
           .environment = "EOS_ENERGY_MODEL"},
          {.name = "carbon-intensity",
           .kind = ValueKind::number,
           .value = "G",
           .help = "g CO2e per kWh of electricity (default: 481, the world's mean of 2019)",
           .environment = "EOS_CARBON_INTENSITY"},
          {.name = "pue",
           .kind = ValueKind::number,
           .value = "X",
           .help = "power usage effectiveness of the data centre",
           .fallback = "1",
           .environment = "EOS_PUE",
           .minimum = 1},
          {.name = "carbon-source",
           .kind = ValueKind::text,
           .value = "TEXT",
           .help = "where --carbon-intensity and --pue come from; stored with them",
           .environment = "EOS_CARBON_SOURCE"}};
}

sim::MeterOptions meter_options(const Arguments& arguments) {
  sim::MeterOptions options;
  options.source = arguments.text("energy");
  if (arguments.has("energy-model")) options.model = io::read_energy_model(arguments.text("energy-model"));
  return options;
}

theory::CarbonFactors carbon_factors(const Arguments& arguments) {
  theory::CarbonFactors factors;
  if (arguments.has("carbon-intensity")) factors.grams_per_kwh = arguments.number("carbon-intensity");
  if (arguments.has("pue")) factors.pue = arguments.number("pue");
  if (arguments.has("carbon-source"))
    factors.source = arguments.text("carbon-source");
  else if (arguments.has("carbon-intensity") || arguments.has("pue"))
    factors.source = "given with the command, without a source";
  return factors;
}

std::optional<sim::MeasuredEnergy> measured_energy(const core::Dataset& run) {
  const auto group = run.groups.find("provenance");
  return group == run.groups.end() ? std::nullopt : sim::stored_energy(group->second);
}

void add_measured(Document& document, const sim::MeasuredEnergy& energy) {
  const sim::EnergyReading& reading = energy.reading;
  const bool model = reading.uncertainty == sim::Uncertainty::model;
  document.set("energy_measured", reading.joules(),
               model ? "energy of the machine, by its coefficients" : "energy measured, all seeds", Style::energy);
  document.set("energy_source", reading.source());
  document.set("energy_uncertainty", sim::to_string(reading.uncertainty));
  document.set("energy_measured_by", fmt::format("{}: {}", reading.source(), sim::explanation(reading.uncertainty)),
               "  by");
  document.set("energy_above_idle", reading.above_idle(), "  above idle power", Style::energy);
  document.set("energy_duration", reading.duration, "  in", Style::seconds);
  if (energy.coverage < 1 - 1e-9)
    document.set("energy_coverage", energy.coverage, "  part of the run's work it covers", Style::percent);
  document.set("emissions", fmt::format("{} CO2e", si(1e3 * energy.kg_co2e(), "g")), "  emissions");
  document.set("emissions_kg", energy.kg_co2e());
}

void add_measured_table(Document& document, const std::vector<RunSummary>& runs, const theory::PriceList& prices) {
  if (std::none_of(runs.begin(), runs.end(), [](const RunSummary& run) { return run.measured.has_value(); })) return;
  Table& table =
      document.table("measured", fmt::format("Joules measured beside joules modelled ({}), a seed", prices.name),
                     {{"run", "run"},
                      {"energy_measured", "measured", Style::energy},
                      {"energy_above_idle", "above idle", Style::energy},
                      {"energy", "modelled", Style::energy},
                      {"energy_duration", "seconds", Style::number},
                      {"emissions_kg", "kg CO2e", Style::number},
                      {"energy_coverage", "covered", Style::percent},
                      {"energy_source", "source"},
                      {"energy_uncertainty", "certainty"}});
  for (const RunSummary& run : runs) {
    const double modelled = run.energy(prices).total();
    if (!run.measured) {
      table.add(
          {run.label, Cell{}, Cell{}, modelled, Cell{}, Cell{}, Cell{}, std::string("none"), std::string("none")});
      continue;
    }
    const sim::EnergyReading& reading = run.measured->reading;
    table.add({run.label, run.per_seed(reading.joules()), run.per_seed(reading.above_idle()), modelled,
               run.per_seed(reading.duration), run.per_seed(run.measured->kg_co2e()), run.measured->coverage,
               reading.source(), sim::to_string(reading.uncertainty)});
  }
}

}  // namespace eos::cli
