// Takes chunks from the counter of mpirun and says which: "rank R of N had C" lines, and "R of N here" for the machine
// it is on. Arguments: chunks, milliseconds that each of them takes (rank 0 computes, without a call of MPI), and exit
// value of rank 1.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "eos/core/error.hpp"
#include "work_counter.hpp"

int main(int count, char** words) {
  if (count != 4) return 2;
  const int chunks = std::atoi(words[1]), milliseconds = std::atoi(words[2]), value = std::atoi(words[3]);
  try {
    const auto counter = eos::cli::mpi_counter();
    std::printf("%d of %d here\n", counter->node_rank(), counter->node_size());
    while (const auto chunk = counter->next(chunks)) {
      std::printf("rank %d of %d had %d\n", counter->rank(), counter->size(), *chunk);
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
      while (std::chrono::steady_clock::now() < end) continue;
    }
    std::printf("largest %d\n", counter->largest(counter->rank() == 1 ? value : 0));
    return 0;
  } catch (const eos::core::Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
