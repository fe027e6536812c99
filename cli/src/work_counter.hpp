// Hands out chunks of a sweep to the processes of one `mpirun`: each chunk once, whoever is free takes the next.
//
// The counter lives in a shared module of its own, eos_mpi.so, that is loaded when --mpi asks for it. So the program
// neither links MPI nor needs it anywhere else, and a module built for another MPI can take its place.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace eos::cli {

class WorkCounter {
 public:
  virtual ~WorkCounter() = default;
  virtual int rank() const = 0;       ///< of this process, 0 .. size()-1
  virtual int size() const = 0;       ///< processes
  virtual int node_size() const = 0;  ///< processes on this machine, e.g. to share its cores
  virtual int node_rank() const = 0;  ///< of this process among them, 0 .. node_size()-1
  /// The next chunk that no process has had, or nothing when all `chunks` are given out. They are given out in order.
  /// Call it with the same `chunks` everywhere. The counter sits in the memory of rank 0 and is raised from afar
  /// (MPI_Fetch_and_op), also while rank 0 computes.
  virtual std::optional<int> next(int chunks) = 0;
  /// Waits, asleep, for all processes; the largest of their values. As a barrier: largest(0).
  virtual int largest(int value) = 0;
};

/// Starts MPI, once in the life of a process; destroying the counter ends it, which all processes do together. Without
/// mpirun there is one process, rank 0.
/// throws Error E308 when this build has no MPI, its module cannot be loaded, or MPI does not start.
std::unique_ptr<WorkCounter> mpi_counter();

/// "Open MPI v4.1.4", without starting it. throws Error E308 as above.
std::string mpi_version();

/// What eos_mpi.so offers under these two names.
using MakeCounter = WorkCounter* (*)(const char** error);
using DescribeMpi = const char* (*)();
inline constexpr const char* k_make_counter = "eos_mpi_counter";
inline constexpr const char* k_describe_mpi = "eos_mpi_version";

}  // namespace eos::cli
