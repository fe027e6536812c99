#include "run_energy.hpp"

namespace eos::sim {

RunEnergy::RunEnergy(const TrainOptions& options, const kernels::Context& context, std::size_t replicas)
    : sink_(options.checkpoints),
      checkpoint_name_(options.checkpoint_name),
      carbon_(options.carbon),
      meter_(options.meter, metered_device(context)),
      before_(replicas),
      after_(replicas) {
  carbon_.check();
}

void RunEnergy::start() { meter_.start(); }

MeasuredEnergy RunEnergy::finish(bool stopped) {
  std::vector<double> flops;
  CountedWork window;
  double total = 0;
  for (std::size_t r = 0; r < after_.size(); ++r) {
    const CountedWork own{after_[r].flops - before_[r].flops, after_[r].bytes - before_[r].bytes};
    flops.push_back(own.flops);
    window += own;
    total += after_[r].flops;
  }
  MeasuredEnergy energy;
  energy.reading = meter_.stop(window);
  energy.replica_joules = shares(energy.reading.joules(), flops);
  energy.carbon = carbon_;
  if (sink_ != nullptr) {
    const auto stored = sink_->read(name());
    if (const auto earlier = stored ? stored_energy(*stored) : std::nullopt;
        earlier && earlier->replica_joules.size() == flops.size()) {
      EnergyReading sum = earlier->reading;
      energy.reading = sum += energy.reading;
      for (std::size_t r = 0; r < flops.size(); ++r) energy.replica_joules[r] += earlier->replica_joules[r];
    }
  }
  const double covered = energy.reading.measured() ? energy.reading.work.flops : 0.0;
  energy.coverage = total > 0 ? covered / total : 1.0;
  if (sink_ == nullptr) return energy;
  if (stopped && energy.reading.measured()) {
    core::Dataset table;
    if (flops.size() > 1) table.add_dim("replica", static_cast<std::int64_t>(flops.size()));
    store(energy, table);
    sink_->write(name(), table);
  } else if (!stopped) {
    sink_->remove(name());
  }
  return energy;
}

}  // namespace eos::sim
