#include "eos/sim/energy_meter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <limits>
#include <mutex>
#include <thread>

#include "energy_source.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/device_identity.hpp"

namespace eos::sim {
namespace {

constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string cpu_model(const std::string& cpuinfo) {
  std::ifstream file(cpuinfo);
  for (std::string line; std::getline(file, line);)
    if (const auto colon = line.find(": "); line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  return {};
}

const std::vector<std::string>& source_names() {
  static const std::vector<std::string> k_names = {"auto", "nvml", "rapl", "model", "none"};
  return k_names;
}

const char* k_no_model = "no coefficients were given";

double sum(const std::vector<DomainEnergy>& domains) {
  double joules = 0;
  for (const DomainEnergy& d : domains) joules += d.joules;
  return joules;
}

}  // namespace

std::string to_string(EnergySource source) {
  static constexpr const char* k_names[] = {"nvml_total", "nvml_power", "rapl", "model", "none"};
  return k_names[static_cast<int>(source)];
}

std::string to_string(Uncertainty uncertainty) {
  static constexpr const char* k_names[] = {"counter", "short_window", "sampled", "model", "none"};
  return k_names[static_cast<int>(uncertainty)];
}

std::string explanation(Uncertainty uncertainty) {
  switch (uncertainty) {
    case Uncertainty::counter:
      return "energy counter over a long window; of a GPU within 5 to 10 %";
    case Uncertainty::short_window:
      return "the window was too short for the counter: uncertain";
    case Uncertainty::sampled:
      return "power samples times time; within 10 % for steady work, worse for bursts";
    case Uncertainty::model:
      return "not measured: coefficients times counts";
    case Uncertainty::none:
      return "not measured";
  }
  return {};
}

CountedWork counted_work(const theory::Ledger& ledger) {
  constexpr double k_word = 4;  // bytes
  CountedWork work;
  work.flops = 2 * (static_cast<double>(ledger.forward_macs) + static_cast<double>(ledger.scoring_macs) +
                    static_cast<double>(ledger.backward_macs));
  work.bytes = static_cast<double>(ledger.input_bytes) +
               k_word * (static_cast<double>(ledger.weight_reads) + static_cast<double>(ledger.writes));
  return work;
}

MeteredDevice metered_device(const kernels::Context& context) {
  const kernels::DeviceIdentity identity = kernels::device_identity(context);
  return {context.backend() == kernels::Backend::cuda, identity.uuid, identity.pci_bus_id};
}

double EnergyReading::joules() const { return sum(domains); }

double EnergyReading::joules(const std::string& domain) const {
  double total = 0;
  for (const DomainEnergy& d : domains) total += d.domain == domain ? d.joules : 0.0;
  return total;
}

double EnergyReading::above_idle() const { return std::max(0.0, joules() - idle_watts * duration); }

std::string EnergyReading::source() const {
  std::vector<std::string> names;
  for (const DomainEnergy& d : domains)
    if (std::find(names.begin(), names.end(), to_string(d.source)) == names.end()) names.push_back(to_string(d.source));
  return names.empty() ? to_string(EnergySource::none) : fmt::format("{}", fmt::join(names, "+"));
}

EnergyReading& EnergyReading::operator+=(const EnergyReading& later) {
  if (!later.measured()) return *this;
  if (!measured()) return *this = later;
  const double total = duration + later.duration;
  if (total > 0) idle_watts = (idle_watts * duration + later.idle_watts * later.duration) / total;
  uncertainty = std::max(uncertainty, later.uncertainty);
  for (const DomainEnergy& d : later.domains) {
    const auto same = [&d](const DomainEnergy& own) { return own.domain == d.domain && own.source == d.source; };
    const auto found = std::find_if(domains.begin(), domains.end(), same);
    if (found == domains.end())
      domains.push_back(d);
    else
      found->joules += d.joules;
  }
  duration = total;
  samples += later.samples;
  sample_period = std::max(sample_period, later.sample_period);
  ended = later.ended;
  temperature_end = later.temperature_end;
  clock_mhz = later.clock_mhz;
  work += later.work;
  return *this;
}

struct EnergyMeter::State {
  MeterOptions options;
  std::vector<std::unique_ptr<HardwareSource>> sources;
  bool modelled = false;
  std::string note;
  EnergyReading reading;  ///< of the window that is open
  double begun = 0, last = 0;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread sampler;

  double now() const { return options.clock ? options.clock() : steady_seconds(); }
  void begin_all() {
    begun = last = now();
    for (const auto& source : sources) source->begin(begun);
  }
  void sample_all() {
    const std::lock_guard<std::mutex> guard(mutex);
    last = now();
    for (const auto& source : sources) source->sample(last);
    ++reading.samples;
  }
  std::vector<DomainEnergy> energy() const {
    std::vector<DomainEnergy> all;
    for (const auto& source : sources)
      for (DomainEnergy& d : source->energy(last - begun)) all.push_back(std::move(d));
    return all;
  }
  double period() const {
    if (options.sample_period >= 0 || sources.empty()) return std::max(0.0, options.sample_period);
    double shortest = std::numeric_limits<double>::infinity();
    for (const auto& source : sources) shortest = std::min(shortest, source->sample_period());
    return shortest;
  }
  void start_sampler() {
    if (sources.empty() || reading.sample_period <= 0) return;
    sampler = std::jthread([this, wait = std::chrono::duration<double>(reading.sample_period)](std::stop_token stop) {
      std::mutex idle;
      std::unique_lock<std::mutex> lock(idle);
      while (!wake.wait_for(lock, stop, wait, [&stop] { return stop.stop_requested(); })) sample_all();
    });
  }
  void stop_sampler() {
    if (!sampler.joinable()) return;
    sampler.request_stop();
    sampler.join();
  }
  void add(OpenedSource opened, const std::string& name, bool required) {
    if (opened.source) return sources.push_back(std::move(opened.source));
    if (required)
      throw core::Error("E307", fmt::format("energy cannot be measured with {}: {}", name, opened.text),
                        "use --energy auto or none; `eos doctor` shows which meters work here");
    note += fmt::format("{}{}: {}", note.empty() ? "" : "; ", name, opened.text);
  }
};

EnergyMeter::EnergyMeter(const MeterOptions& options, const MeteredDevice& device) : state_(new State) {
  State& s = *state_;
  s.options = options;
  const std::string& asked = options.source;
  const auto& names = source_names();
  if (std::find(names.begin(), names.end(), asked) == names.end())
    throw core::Error("E106", fmt::format("there is no energy meter '{}'", asked), core::suggest(asked, names));
  const bool automatic = asked == "auto";
  if (options.model) options.model->check();
  if (asked == "nvml" || automatic) s.add(open_nvml(options.nvml_library, device), "nvml", !automatic);
  // The processor feeds a GPU: its joules belong to the work as well, where they can be read.
  if (asked != "none" && asked != "model") s.add(open_rapl(options.rapl_root), "rapl", asked == "rapl");
  if (!s.sources.empty() || asked == "none") return;
  s.modelled = options.model.has_value();
  if (!s.modelled) s.add({nullptr, k_no_model}, "model", !automatic);
}

EnergyMeter::~EnergyMeter() {
  if (state_) state_->stop_sampler();
}
EnergyMeter::EnergyMeter(EnergyMeter&&) noexcept = default;

void EnergyMeter::start() {
  State& s = *state_;
  s.stop_sampler();
  s.reading = EnergyReading{};
  s.reading.temperature_start = s.reading.temperature_end = s.reading.clock_mhz = k_unknown;
  s.reading.cpu_model = cpu_model(s.options.cpuinfo);
  s.reading.sample_period = s.period();
  if (!s.sources.empty() && s.options.idle_seconds > 0) {
    s.begin_all();
    s.start_sampler();
    std::this_thread::sleep_for(std::chrono::duration<double>(s.options.idle_seconds));
    s.stop_sampler();
    s.sample_all();
    s.reading.idle_watts = s.last > s.begun ? sum(s.energy()) / (s.last - s.begun) : 0.0;
  } else if (s.modelled) {
    s.reading.idle_watts = s.options.model->idle_watts;
  }
  for (const auto& source : s.sources) source->describe(s.reading, true);
  s.reading.samples = 0;
  s.reading.started = unix_seconds();
  s.begin_all();
  s.start_sampler();
}

void EnergyMeter::sample() { state_->sample_all(); }

EnergyReading EnergyMeter::stop(const CountedWork& work) {
  State& s = *state_;
  s.stop_sampler();
  s.sample_all();
  EnergyReading& reading = s.reading;
  reading.duration = s.last - s.begun;
  reading.ended = unix_seconds();
  reading.work = work;
  reading.domains = s.energy();
  reading.note = s.note;
  for (const auto& source : s.sources) {
    source->describe(reading, false);
    if (source->energy(reading.duration).empty())
      reading.note += (reading.note.empty() ? "" : "; ") + source->problem();
    else if (reading.uncertainty == Uncertainty::none)
      reading.uncertainty = source->uncertainty(reading.duration);
    else
      reading.uncertainty = std::max(reading.uncertainty, source->uncertainty(reading.duration));
  }
  if (s.modelled) {
    reading.domains = {
        {"machine", s.options.model->joules(reading.duration, work.flops, work.bytes), EnergySource::model}};
    reading.uncertainty = Uncertainty::model;
  }
  return reading;
}

std::vector<MeterReport> probe_meters(const MeterOptions& options, const MeteredDevice& device) {
  std::vector<MeterReport> reports;
  const auto report = [&reports](const char* name, const OpenedSource& opened) {
    reports.push_back({name, opened.source != nullptr, opened.text});
  };
  report("nvml", open_nvml(options.nvml_library, device));
  report("rapl", open_rapl(options.rapl_root));
  reports.push_back({"model", options.model.has_value(),
                     options.model ? fmt::format("{}: {}", options.model->name, options.model->source) : k_no_model});
  return reports;
}

}  // namespace eos::sim
