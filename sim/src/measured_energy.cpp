#include "eos/sim/measured_energy.hpp"

#include <cmath>
#include <ctime>
#include <numeric>

namespace eos::sim {
namespace {

/// Every number of a MeasuredEnergy with its name, so that storing and reading cannot drift apart.
template <class Energy, class Visit>
void visit_numbers(Energy& e, Visit visit) {
  auto& r = e.reading;
  visit("energy_duration", r.duration, "s", "time during which joules were counted");
  visit("energy_sample_period", r.sample_period, "s", "time between readings of the counters");
  visit("energy_started", r.started, "s", "begin of the measurement, since 1970 UTC");
  visit("energy_ended", r.ended, "s", "end of the measurement, since 1970 UTC");
  visit("energy_coverage", e.coverage, "1", "multiply-adds while measuring / multiply-adds of the run");
  visit("energy_flops", r.work.flops, "1", "floating-point operations counted while measuring");
  visit("energy_bytes", r.work.bytes, "B", "bytes of inputs and weights counted while measuring");
  visit("idle_power", r.idle_watts, "W", "power just before the run; contained in energy_measured");
  visit("gpu_temperature_start", r.temperature_start, "degC", "temperature of the GPU before the run");
  visit("gpu_temperature_end", r.temperature_end, "degC", "temperature of the GPU after the run");
  visit("gpu_clock", r.clock_mhz, "MHz", "clock of the GPU's multiprocessors after the run");
  visit("carbon_intensity", e.carbon.grams_per_kwh, "g/kWh", "CO2e of electricity");
  visit("pue", e.carbon.pue, "1", "power usage effectiveness: energy of the building / energy of the machines");
}

template <class Energy, class Visit>
void visit_texts(Energy& e, Visit visit) {
  auto& r = e.reading;
  visit("energy_note", r.note);
  visit("energy_gpu_name", r.device_name);
  visit("energy_gpu_uuid", r.device_uuid);
  visit("energy_driver", r.driver);
  visit("energy_cpu_model", r.cpu_model);
  visit("carbon_source", e.carbon.source);
}

constexpr const char* k_domains[] = {"gpu", "cpu", "dram", "machine"};

void add(core::Dataset& to, const std::string& name, double value, const char* units, const char* long_name) {
  if (!std::isnan(value)) to.add(name, {}, std::vector<double>{value}, units, long_name);
}

std::string utc(double seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char stamp[32] = {};
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return stamp;
}

Uncertainty uncertainty_named(const std::string& name) {
  for (const Uncertainty u :
       {Uncertainty::counter, Uncertainty::short_window, Uncertainty::sampled, Uncertainty::model})
    if (to_string(u) == name) return u;
  return Uncertainty::none;
}

EnergySource source_named(const std::string& name) {
  for (const EnergySource s :
       {EnergySource::nvml_total, EnergySource::nvml_power, EnergySource::rapl, EnergySource::model})
    if (to_string(s) == name) return s;
  return EnergySource::none;
}

}  // namespace

std::vector<double> shares(double joules, const std::vector<double>& work) {
  const double total = std::accumulate(work.begin(), work.end(), 0.0);
  std::vector<double> parts;
  for (const double own : work)
    parts.push_back(total > 0 ? joules * (own / total) : joules / static_cast<double>(work.size()));
  return parts;
}

void store(const MeasuredEnergy& energy, core::Dataset& to) {
  const EnergyReading& reading = energy.reading;
  to.attributes["energy_source"] = reading.source();
  if (!reading.measured()) {
    if (!reading.note.empty()) to.attributes["energy_note"] = reading.note;
    return;
  }
  add(to, "energy_measured", reading.joules(), "J", "joules by the machine's meters, idle power included");
  for (const DomainEnergy& d : reading.domains) {
    const std::string name = "energy_" + d.domain;
    if (to.has(name)) continue;  // a resumed run may have met two sources of one domain
    add(to, name, reading.joules(d.domain), "J", "part of energy_measured");
    to.variables.back().attributes["source"] = to_string(d.source);
  }
  add(to, "energy_above_idle", reading.above_idle(), "J", "energy_measured - idle_power * energy_duration");
  const std::size_t replicas = energy.replica_joules.size();
  to.add("energy_share", replicas > 1 ? std::vector<std::string>{"replica"} : std::vector<std::string>{},
         energy.replica_joules, "J", "energy_measured shared out by multiply-adds counted");
  visit_numbers(energy, [&to](const char* name, double value, const char* units, const char* long_name) {
    add(to, name, value, units, long_name);
  });
  to.add("energy_samples", {}, std::vector<std::int64_t>{reading.samples}, "1", "readings of the counters");
  to.add("energy_group_size", {}, std::vector<std::int64_t>{static_cast<std::int64_t>(replicas)}, "1",
         "replicas that shared the device");
  add(to, "emissions", energy.kg_co2e(), "kg", "CO2e of energy_measured: joules / 3.6e6 * pue * carbon_intensity");
  visit_texts(energy, [&to](const char* name, const std::string& text) {
    if (!text.empty()) to.attributes[name] = text;
  });
  to.attributes["energy_uncertainty"] = to_string(reading.uncertainty);
  to.attributes["energy_uncertainty_meaning"] = explanation(reading.uncertainty);
  to.attributes["energy_attribution"] = std::string("by multiply-adds counted");
  to.attributes["energy_window"] = utc(reading.started) + "/" + utc(reading.ended);
}

std::optional<MeasuredEnergy> stored_energy(const core::Dataset& from) {
  if (!from.has("energy_measured")) return std::nullopt;
  MeasuredEnergy energy;
  EnergyReading& reading = energy.reading;
  const std::string only_source = from.text("energy_source");
  for (const char* domain : k_domains)
    if (const core::Variable* v = from.find(std::string("energy_") + domain)) {
      const auto own = v->attributes.find("source");
      const auto* text = own == v->attributes.end() ? nullptr : std::get_if<std::string>(&own->second);
      reading.domains.push_back({domain, from.number(v->name), source_named(text == nullptr ? only_source : *text)});
    }
  reading.uncertainty = uncertainty_named(from.text("energy_uncertainty"));
  reading.samples = static_cast<std::int64_t>(from.number("energy_samples"));
  energy.replica_joules = from.numbers("energy_share");
  visit_numbers(energy, [&from](const char* name, double& value, const char*, const char*) {
    value = from.has(name) ? from.number(name) : std::nan("");
  });
  visit_texts(energy, [&from](const char* name, std::string& text) { text = from.text(name); });
  return energy;
}

}  // namespace eos::sim
