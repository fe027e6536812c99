// The counter of work_counter.hpp on MPI; the only file that knows MPI, through its C interface alone. Functions are
// called by their second names, PMPI_ (MPI standard, profiling interface): eos links Ipopt, whose sequential MUMPS
// brings along an MPI_Finalize and others that do nothing, and symbols of the program go before those of a module.
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "work_counter.hpp"

namespace {

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

class MpiCounter : public eos::cli::WorkCounter {
 public:
  explicit MpiCounter(bool threads) {
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    PMPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm node;
    PMPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node);
    PMPI_Comm_size(node, &node_size_);
    PMPI_Comm_rank(node, &node_rank_);
    PMPI_Comm_free(&node);
    PMPI_Win_allocate(rank_ == 0 ? sizeof(int) : 0, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &counter_, &window_);
    if (rank_ == 0) {
      PMPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window_);
      *counter_ = 0;
      PMPI_Win_unlock(0, window_);
    }
    PMPI_Barrier(MPI_COMM_WORLD);
    PMPI_Win_lock_all(0, window_);
    // Networks without remote atomics raise the counter only inside MPI calls of rank 0, which may be minutes apart.
    if (rank_ == 0 && size_ > 1 && threads) helper_ = std::thread([this] { keep_going(); });
  }

  ~MpiCounter() override {
    largest(0);
    ending_ = true;
    if (helper_.joinable()) helper_.join();
    PMPI_Win_unlock_all(window_);
    PMPI_Win_free(&window_);
    PMPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int node_size() const override { return node_size_; }
  int node_rank() const override { return node_rank_; }

  std::optional<int> next(int chunks) override {
    const int one = 1;
    int mine = 0;
    const std::lock_guard<std::mutex> alone(calls_);
    PMPI_Fetch_and_op(&one, &mine, MPI_INT, 0, 0, MPI_SUM, window_);
    PMPI_Win_flush(0, window_);
    return mine < chunks ? std::optional<int>(mine) : std::nullopt;
  }

  int largest(int value) override {
    int all = value, done = 0;
    MPI_Request request;
    std::unique_lock<std::mutex> alone(calls_);
    PMPI_Iallreduce(&value, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &request);
    alone.unlock();
    // Blocking calls of MPI spin, which would take a core from those who still work.
    while (done == 0) {
      rest();
      alone.lock();
      PMPI_Test(&request, &done, MPI_STATUS_IGNORE);
      alone.unlock();
    }
    return all;
  }

 private:
  void keep_going() {
    while (!ending_) {
      rest();
      int waiting = 0;
      const std::lock_guard<std::mutex> alone(calls_);
      PMPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &waiting, MPI_STATUS_IGNORE);
    }
  }

  int rank_ = 0, size_ = 1, node_size_ = 1, node_rank_ = 0;
  int* counter_ = nullptr;
  MPI_Win window_ = MPI_WIN_NULL;
  std::atomic<bool> ending_ = false;
  std::thread helper_;
  // One call of MPI at a time: several need MPI_THREAD_MULTIPLE, with which Open MPI 4 has no windows over plain TCP.
  std::mutex calls_;
};

}  // namespace

extern "C" eos::cli::WorkCounter* eos_mpi_counter(const char** error) {
  int ended = 0, provided = 0;
  PMPI_Finalized(&ended);
  if (ended != 0) return *error = "it was started and ended before", nullptr;
  if (PMPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
    return *error = "MPI_Init_thread failed", nullptr;
  return new MpiCounter(provided >= MPI_THREAD_SERIALIZED);
}

extern "C" const char* eos_mpi_version() {
  static const std::string k_version = [] {
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    PMPI_Get_library_version(text, &length);
    const std::string all(text, static_cast<std::size_t>(length));
    return all.substr(0, all.find_first_of(",\n"));
  }();
  return k_version.c_str();
}
