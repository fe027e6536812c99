// An outside project: solve a small control problem, train a small network, write a file; one symbol of every room.
#include <cmath>
#include <cstdio>

#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/sim/train.hpp"
#include "eos/solvers/solve.hpp"

int main() {
  eos::theory::ModeProblem problem;
  problem.lambda = {1.0};
  problem.initial = {2.0};
  problem.noise_variance = 0.05;
  problem.data_rule = problem.weight_rule = eos::theory::Rule::all;
  problem.rate_bounds = {0, 0.5};
  problem.horizon = 12;
  const eos::theory::Plan plan = eos::solvers::solve(problem);

  eos::theory::TrainingSpec spec;
  spec.data.name = "teacher";
  spec.data.teacher = {16, 4, 8, 0.5, 1};
  spec.data.train_samples = 512;
  spec.data.validation_samples = spec.data.test_samples = 128;
  spec.network.hidden = {16};
  spec.epochs = 1;
  eos::core::Progress silent;
  const eos::sim::TaskData data = eos::sim::load_data(spec.data);
  const eos::sim::TrainResult run = eos::sim::train(spec, data, silent);
  eos::io::write_hdf5("consumer.h5", eos::sim::to_dataset(run));
  const double loss = eos::io::read_hdf5("consumer.h5").numbers("train_loss").back();
  std::printf("objective %.6f, train loss %.4f\n", plan.objective, loss);
  return std::isfinite(plan.objective) && std::isfinite(loss) ? 0 : 1;
}
