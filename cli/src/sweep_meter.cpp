#include "sweep_meter.hpp"

#include <algorithm>
#include <limits>

namespace eos::cli {

namespace {

constexpr std::chrono::seconds k_lap{2};  ///< counters of GPUs move ten times a second

sim::MeterOptions without_idle(sim::MeterOptions options) {
  options.idle_seconds = 0;
  return options;
}

}  // namespace

SweepMeter::SweepMeter(const sim::MeterOptions& options, const theory::CarbonFactors& carbon,
                       const kernels::Context& context)
    : meter_(without_idle(options), sim::metered_device(context)),
      carbon_(carbon),
      lapped_(std::chrono::steady_clock::now()) {}

void SweepMeter::begin() {
  const std::lock_guard<std::mutex> guard(lock_);
  if (!begun_) meter_.start();
  begun_ = true;
}

void SweepMeter::lap(const sim::CountedWork& work) {
  total_ += meter_.stop(work);
  meter_.start();
  lapped_ = std::chrono::steady_clock::now();
}

sim::MeasuredEnergy SweepMeter::charge(const theory::Ledger& ledger, double in_progress) {
  const std::lock_guard<std::mutex> guard(lock_);
  const sim::CountedWork work = sim::counted_work(ledger);
  work_ += work, since_lap_ += work, ++runs_;
  if (!total_.measured() || std::chrono::steady_clock::now() - lapped_ > k_lap) {
    lap(since_lap_);
    since_lap_ = {};
    measured_flops_ = work_.flops * (runs_ + in_progress) / runs_;
  }
  const double share = measured_flops_ > 0 ? work.flops / measured_flops_ : 0;
  sim::MeasuredEnergy charged;
  charged.reading = total_;
  charged.reading.duration *= share, charged.reading.work = work;
  for (sim::DomainEnergy& domain : charged.reading.domains) domain.joules *= share;
  charged.replica_joules = {charged.reading.joules()};
  charged.carbon = carbon_;
  return charged;
}

double SweepMeter::joules() {
  const std::lock_guard<std::mutex> guard(lock_);
  return total_.measured() ? total_.joules() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace eos::cli
