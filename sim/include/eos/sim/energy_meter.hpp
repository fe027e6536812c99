// Measure the joules that this machine spends while something runs: hardware counters where there are any, a calibrated
// model where there are none.
//
// Measured joules stand beside the modelled energy of a ledger (theory/ledger.hpp), never instead of it: they belong to
// one machine, one day and one implementation, and are not reproducible.
//
// Sources, tried in this order:
//   nvml   the GPU. Energy counter of the driver (Volta and newer; refreshed about every 100 ms); where there is none,
//          or it did not move, sampled power times time. The library is opened at run time. The device is found by its
//          UUID or PCI bus, because NVML and CUDA count devices differently. On a GPU run the processor's counters are
//          added where they can be read.
//   rapl   the processor, /sys/class/powercap/intel-rapl:*: all packages and memory (dram) of the machine.
//   model  E = P_idle t + e_flop FLOPs + e_byte bytes, theory::EnergyModel; used only when coefficients are given.
//   none   nothing; the reading says why.
// Counters belong to the machine, not to the process: whatever else runs on it is in the reading.
//
// Accuracy. NVML: sampled 25 % of the time on A100 and H100, so +-5 to 10 % for windows of 10 s and more, worse for
// shorter ones (Yang, Adamek & Armour, SC'24, arXiv:2312.02741). RAPL: updated every millisecond.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eos/theory/energy_model.hpp"
#include "eos/theory/ledger.hpp"

namespace eos::kernels {
class Context;
}

namespace eos::sim {

enum class EnergySource { nvml_total, nvml_power, rapl, model, none };
std::string to_string(EnergySource source);

/// How far a reading can be trusted, best first.
enum class Uncertainty {
  counter,       ///< energy counter over a long window
  short_window,  ///< below 10 s (NVML) or 0.1 s (RAPL)
  sampled,       ///< power samples times time
  model,         ///< not measured
  none           ///< no reading
};
std::string to_string(Uncertainty uncertainty);
/// One sentence for people.
std::string explanation(Uncertainty uncertainty);

/// What a window computed: attributes joules to replicas, and is what the model works from.
struct CountedWork {
  double flops = 0, bytes = 0;
  CountedWork& operator+=(const CountedWork& other) { return flops += other.flops, bytes += other.bytes, *this; }
};
/// Two FLOPs per MAC, scoring included; bytes of inputs, weights read and weights written (4 bytes a word).
CountedWork counted_work(const theory::Ledger& ledger);

/// Joules of one part of the machine.
struct DomainEnergy {
  std::string domain;  ///< gpu, cpu, dram, machine
  double joules = 0;
  EnergySource source = EnergySource::none;
};

struct EnergyReading {
  std::vector<DomainEnergy> domains;  ///< empty: nothing was measured
  Uncertainty uncertainty = Uncertainty::none;
  double duration = 0;                           ///< s
  double idle_watts = 0;                         ///< W of all domains, measured just before the window; 0: not measured
  std::int64_t samples = 0;                      ///< times the counters were read
  double sample_period = 0;                      ///< s; 0: read by the caller alone
  double started = 0, ended = 0;                 ///< s since 1970, UTC
  std::string device_name, device_uuid, driver;  ///< GPU; empty without
  std::string cpu_model;
  double temperature_start = 0, temperature_end = 0;  ///< degrees Celsius of the GPU; NaN: unknown
  double clock_mhz = 0;                               ///< of the GPU's multiprocessors at the end; NaN: unknown
  std::string note;                                   ///< why better sources were passed over
  CountedWork work;                                   ///< of the window, as told to stop()

  bool measured() const { return !domains.empty(); }
  double joules() const;                           ///< of all domains, idle power included
  double joules(const std::string& domain) const;  ///< 0 when the domain was not measured
  double above_idle() const;                       ///< joules() - idle_watts * duration, at least 0
  /// "nvml_total+rapl": the sources of the domains; "none".
  std::string source() const;
  /// Adds a later window of the same work; the worse uncertainty holds. A window without a measurement changes nothing.
  EnergyReading& operator+=(const EnergyReading& later);
};

/// What the work runs on.
struct MeteredDevice {
  bool gpu = false;
  std::string uuid, pci_bus_id;  ///< of the GPU, either may be empty
};
MeteredDevice metered_device(const kernels::Context& context);

struct MeterOptions {
  std::string source = "none";  ///< auto, nvml, rapl, model, none
  std::optional<theory::EnergyModel> model;
  double idle_seconds = 1;    ///< how long idle power is measured before a window; 0: not
  double sample_period = -1;  ///< s between readings by a thread of the meter; 0: no thread; < 0: what the source needs
  std::string nvml_library = "libnvidia-ml.so.1";
  std::string rapl_root = "/sys/class/powercap";
  std::string cpuinfo = "/proc/cpuinfo";
  std::function<double()> clock;  ///< monotonic seconds; empty: the machine's
};

/// One window after the other: start(), work, stop(). Not thread-safe but for sample().
class EnergyMeter {
 public:
  /// "auto" takes the first source that works, possibly none. throws Error E106 for an unknown source, E307 when a
  /// source that was asked for by name does not work, E104/E105 for bad coefficients.
  explicit EnergyMeter(const MeterOptions& options, const MeteredDevice& device = {});
  ~EnergyMeter();
  EnergyMeter(EnergyMeter&&) noexcept;

  /// Measures idle power for options.idle_seconds when the source is hardware, then begins a window.
  void start();
  /// Reads all counters now. A thread of the meter does it often enough unless options.sample_period is 0.
  void sample();
  EnergyReading stop(const CountedWork& work = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether a source works here, and if not, why and what to do.
struct MeterReport {
  std::string source;
  bool works = false;
  std::string text;
};
std::vector<MeterReport> probe_meters(const MeterOptions& options, const MeteredDevice& device);

}  // namespace eos::sim
