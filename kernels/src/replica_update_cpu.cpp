// Updates of replicas on the CPU: each by the kernels for one, on one thread.
#include <algorithm>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "replica_backend.hpp"
#include "replica_formula.hpp"

namespace eos::kernels {

namespace {

void check(ReplicaUpdate update, const ReplicaArrays& a) {
  const bool arrays = a.gradient != nullptr && a.weights != nullptr && a.counts != nullptr && a.totals != nullptr;
  const bool moments = update.method != UpdateMethod::adamw || (a.velocity != nullptr && a.second_moment != nullptr);
  const bool ranks = update.mask != Mask::selection || (a.ranks != nullptr && a.selection != nullptr);
  if (update.mask == Mask::random || !arrays || !moments || !ranks)
    throw core::Error("E901", "replica_update was given a mask that it does not know, or misses an array");
}

/// The arrays of one replica.
struct Part {
  std::int64_t size;
  const float* gradient;
  float* weights;
  float* velocity;
  float* second_moment;
  float* accumulator;
};

Part part_of(const ReplicaArrays& a, std::int64_t r, std::int64_t size) {
  const auto at = [=](float* array) { return array != nullptr ? array + r * size : nullptr; };
  return {size, a.gradient + r * size, at(a.weights), at(a.velocity), at(a.second_moment), at(a.accumulator)};
}

void make_changes(const Context& context, ReplicaUpdate update, const ReplicaRule& rule, const Part& p,
                  float* changes) {
  if (update.method == UpdateMethod::adamw)
    return adamw_delta(context, p.size, formula::adam_parameters(rule), p.gradient, p.weights, p.velocity,
                       p.second_moment, changes);
  sgd_delta(context, p.size, formula::sgd_parameters(update.method, rule), p.gradient, p.weights, p.velocity, changes);
}

bool has_nan(const float* values, std::int64_t size) {
  int found = 0;
  for (std::int64_t i = 0; i < size; ++i) found |= values[i] != values[i];
  return found != 0;
}

void write(const Context& context, Segments segments, ReplicaUpdate update, ReplicaRule& rule, const Part& p,
           const std::int64_t* ranks, Selection* selection, UpdateCounts* counts) {
  const bool plain = update.method != UpdateMethod::adamw && update.mask == Mask::all && p.accumulator == nullptr;
  if (plain)
    return sgd_update_dense(context, segments, formula::sgd_parameters(update.method, rule), p.gradient, p.weights,
                            p.velocity, counts);
  float* changes = host_scratch<struct ChangesTag, float>(static_cast<std::size_t>(p.size));
  make_changes(context, update, rule, p, changes);
  MaskedUpdate masked;
  masked.mask = update.mask;
  masked.threshold = rule.threshold;
  masked.accumulator = p.accumulator;
  const float* delta = changes;
  if (update.mask == Mask::selection) {
    if (p.accumulator != nullptr) {
      accumulate(context, p.size, changes, p.accumulator);
      delta = nullptr;
    }
    const float* ranked = p.accumulator != nullptr ? p.accumulator : changes;
    rule.refused = has_nan(ranked, p.size) ? 1 : 0;
    if (rule.refused != 0) {
      std::fill_n(counts, segments.count, UpdateCounts{});
      return;
    }
    select_threshold(context, ranked, segments, ranks, selection);
    masked.selection = selection;
  }
  masked_update(context, segments, delta, masked, p.weights, counts);
}

}  // namespace

void replica_update(const Context& context, int replicas, Segments segments, ReplicaUpdate update, ReplicaRule* rules,
                    ReplicaArrays arrays) {
  check(update, arrays);
  if (context.backend() == Backend::cuda)
    return cuda::replica_update(context, replicas, segments, update, rules, arrays);
  const std::int64_t size = segments.offsets[segments.count], count = segments.count;
  const Context own = replicas > 1 ? Context::cpu() : context;
  core::parallel_for(static_cast<std::size_t>(replicas), context.threads(), [&](std::size_t replica) {
    const auto r = static_cast<std::int64_t>(replica);
    if (rules[r].writes == 0) return;
    const bool ranked = update.mask == Mask::selection;
    UpdateCounts* counts = arrays.counts + r * count;
    write(own, segments, update, rules[r], part_of(arrays, r, size), ranked ? arrays.ranks + r * count : nullptr,
          ranked ? arrays.selection + r * count : nullptr, counts);
    formula::add_counts(segments.count, counts, arrays.totals + r * (count + 1));
  });
}

}  // namespace eos::kernels
