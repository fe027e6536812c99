// Memory of a run: as much as theory::network_memory() predicts, and none is allocated while it trains.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "../../sim/src/replica.hpp"
#include "eos/theory/network_memory.hpp"
#include "support.hpp"

// Sanitizers have an allocator of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define EOS_COUNTS_ALLOCATIONS 1
#else
#define EOS_COUNTS_ALLOCATIONS 0
#endif

namespace {
std::atomic<std::int64_t> allocations{0}, aligned_bytes{0};
}

#if EOS_COUNTS_ALLOCATIONS
// The program's own functions come before those of the C library, in all of its libraries. Arrays of a CPU context come
// from aligned_alloc.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  aligned_bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
}
#endif

namespace eos::sim::testing {
namespace {

using theory::Architecture;

struct Case {
  const char* name;
  theory::NetworkSpec network;
  theory::OptimiserSpec optimiser;
  theory::GroupSpec groups = {};
  theory::RowGate rows = theory::RowGate::none;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  theory::OptimiserSpec plain, momentum, adamw;
  momentum.momentum = 0.9, momentum.learning_rate = 0.01;
  adamw.kind = theory::OptimiserKind::adamw, adamw.learning_rate = 1e-3, adamw.clip = 1;
  std::vector<Case> all{{"mlp", {}, plain}, {"mlp_adamw", {}, adamw}, {"cnn", {}, momentum},  {"resnet", {}, momentum},
                        {"vit", {}, adamw}, {"gpt", {}, adamw},       {"gpt_tied", {}, adamw}};
  const Architecture kinds[] = {Architecture::mlp, Architecture::mlp, Architecture::cnn, Architecture::resnet,
                                Architecture::vit, Architecture::gpt, Architecture::gpt};
  for (std::size_t i = 0; i < all.size(); ++i) {
    theory::NetworkSpec& n = all[i].network;
    n.architecture = kinds[i];
    n.hidden = {64, 64};
    n.channels = n.architecture == Architecture::resnet ? std::vector<int>{8, 12, 16, 24} : std::vector<int>{8, 16};
    n.width = 32, n.depth = 2, n.heads = 2;
    n.tied = i == 6;
  }
  const auto grouped = [&](const char* name, const Case& like, theory::GroupRule rule) {
    all.push_back(like);
    all.back().name = name;
    all.back().groups.rule = rule, all.back().groups.fraction = 0.5, all.back().groups.width = 4;
  };
  grouped("mlp_cyclic_groups", all[0], theory::GroupRule::cyclic);
  grouped("cnn_random_groups", all[2], theory::GroupRule::random);
  all.push_back(all[5]);
  all.back().name = "gpt_rows", all.back().rows = theory::RowGate::ratio;
  return all;
}

/// Images of 16 x 16, or windows of 32 tokens.
TaskData task_of(const Case& c) {
  if (c.network.architecture != Architecture::gpt) {
    TaskData data = small_task(600, 256, 4);
    if (c.network.architecture != Architecture::mlp) data.height = data.width = 16, data.channels = 1;
    return data;
  }
  theory::DataSpec spec;
  spec.name = "markov";
  spec.train_samples = 600, spec.validation_samples = spec.test_samples = 40;
  spec.sequence = 32;
  return load_data(spec);
}

theory::TrainingSpec spec_of(const Case& c, const TaskData& data) {
  theory::TrainingSpec spec = small_spec(data);
  spec.network = c.network;
  spec.optimiser = c.optimiser;
  spec.plasticity.groups = c.groups;
  spec.selection.row_gate = c.rows;
  return spec;
}

class Memory : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!EOS_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations are counted in the C library of GNU alone";
  }
};
INSTANTIATE_TEST_SUITE_P(Of, Memory, ::testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(Memory, of_a_replica_is_what_theory_predicts) {
  const TaskData data = task_of(GetParam());
  const theory::TrainingSpec spec = spec_of(GetParam(), data);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  const std::int64_t before = aligned_bytes;
  const Replica replica(setup, context, 1);
  const auto bytes = static_cast<double>(aligned_bytes - before);
  const auto predicted = 4.0 * static_cast<double>(network_memory(spec, setup.layout.graph).total());
  // Labels, indices and scores of rows, and the rounding to whole cache lines, are what is left out.
  EXPECT_NEAR(bytes / predicted, 1, 0.05) << bytes << " and " << predicted << " bytes";
}

TEST_P(Memory, is_not_allocated_by_a_step) {
  const TaskData data = task_of(GetParam());
  const theory::TrainingSpec spec = spec_of(GetParam(), data);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 1);
  for (int step = 0; step < 4; ++step) replica.advance();
  const std::int64_t before = allocations;
  for (int step = 0; step < 8; ++step) replica.advance();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(replica.ledger().steps, 12);
  EXPECT_LT(replica.epoch(), 1) << "a new epoch has a new order";
}

}  // namespace
}  // namespace eos::sim::testing
