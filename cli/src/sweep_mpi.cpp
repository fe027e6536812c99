// eos sweep --mpi: the processes of one mpirun share the chunks of a sweep by a counter.
#include <exception>
#include <filesystem>
#include <optional>

#include "eos/core/error.hpp"
#include "sweep.hpp"
#include "work_counter.hpp"

namespace eos::cli {

namespace {

/// Does something that may throw, then waits for all processes: nobody goes on before, and nobody waits for one that
/// had to give up. Returns the largest value of all; throws what this process threw.
template <class Step>
int together(WorkCounter& counter, const Step& step) {
  std::exception_ptr problem;
  int value = k_machine_must_change;
  try {
    value = step();
  } catch (...) {
    problem = std::current_exception();
  }
  const int largest = counter.largest(value);
  if (problem) std::rethrow_exception(problem);
  return largest;
}

}  // namespace

int sweep_with_mpi(Session& session, const std::string& target) {
  const Arguments& arguments = session.arguments;
  if (arguments.has("chunk") || arguments.has("shard"))
    throw core::Error("E107", "--mpi hands out the chunks itself", "leave --chunk and --shard out");
  const std::unique_ptr<WorkCounter> counter = mpi_counter();
  const bool first = counter->rank() == 0;
  session.progress().silence();
  std::optional<OpenSweep> sweep;
  const int planned = together(*counter, [&] {
    if (!first) return k_done;
    sweep = open_sweep(session, target);
    create_folder(*sweep);
    return k_done;
  });
  if (planned != k_done) return k_done;  // the first process says why, and its exit code is that of mpirun
  const std::string folder = std::filesystem::is_directory(target) ? target : arguments.text("out");
  const NodeShare share{counter->node_rank(), counter->node_size()};
  const int code = together(*counter, [&] {
    if (!first) sweep = join_sweep(folder);
    const int chunks = static_cast<int>(sweep->plan.chunks.size());
    return exit_code(work_on(
        session, *sweep, *sweep->data, [&]() -> std::optional<std::int64_t> { return counter->next(chunks); }, share));
  });
  if (!first) return k_done;
  sweep_status(session, folder);
  return code;
}

}  // namespace eos::cli
