// Hardware counters behind EnergyMeter. A source that fails during a window reports what it has and why it stopped; it
// never ends the work it measures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eos/sim/energy_meter.hpp"

namespace eos::sim {

class HardwareSource {
 public:
  virtual ~HardwareSource() = default;
  /// Begins a window at time `now` (s, monotonic).
  virtual void begin(double now) = 0;
  /// Reads the counters.
  virtual void sample(double now) = 0;
  /// Joules between begin and the last sample, `duration` seconds apart.
  virtual std::vector<DomainEnergy> energy(double duration) const = 0;
  virtual Uncertainty uncertainty(double duration) const = 0;
  /// s between samples that lose nothing.
  virtual double sample_period() const = 0;
  /// What is known of the device: called at the begin (first) and at the end of a window.
  virtual void describe(EnergyReading& reading, bool first) const { (void)reading, (void)first; }
  /// Why readings of this window are missing, or nothing.
  virtual std::string problem() const = 0;
};

/// A source that works, or why there is none.
struct OpenedSource {
  std::unique_ptr<HardwareSource> source;
  std::string text;  ///< what was found, or the reason and the remedy
};

OpenedSource open_nvml(const std::string& library, const MeteredDevice& device);
OpenedSource open_rapl(const std::string& root);

}  // namespace eos::sim
