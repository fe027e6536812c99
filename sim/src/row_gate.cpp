#include "row_gate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/philox.hpp"
#include "eos/kernels/gather.hpp"
#include "eos/kernels/row_norms.hpp"
#include "eos/theory/feedback_law.hpp"
#include "eos/theory/network_memory.hpp"
#include "eos/theory/row_sampling.hpp"

namespace eos::sim {

using Kind = theory::RowGate;

namespace {

constexpr double k_window = 16384;  // rows over which sums forget: long against a batch, short against a run

int tokens_of(const theory::Node& node) { return node.in.sequence ? static_cast<int>(node.in.positions()) : 1; }
int inputs_of(const theory::Node& node) { return static_cast<int>(node.in.size() / tokens_of(node)); }
std::int64_t macs_of_row(const theory::Node& node) { return node.forward_macs / tokens_of(node); }
int block_of(const LayerCall& c) { return c.node.block >= 0 ? c.node.block : c.node.shared; }

}  // namespace

RowGate::RowGate(const kernels::Context& context, const theory::SelectionSpec& spec, const Network& network,
                 int capacity, std::uint64_t seed)
    : context_(context), spec_(spec), seed_(seed) {
  if (!on()) return;
  means_.resize(static_cast<std::size_t>(network.layers()));
  const theory::RowWords words = theory::row_words(network.graph);
  const auto make = [&](std::int64_t per_sample) {
    return kernels::Buffer<float>(context, static_cast<std::size_t>(per_sample * capacity));
  };
  inputs_ = make(words.inputs), errors_ = make(words.errors), sent_down_ = make(words.inputs);
  norms_ = make(words.rows);
  index_ = kernels::Buffer<std::int32_t>(context, norms_.size());
  norm_ = kernels::Buffer<kernels::ClipResult>(context, 1);
  for (auto* host : {&host_norms_, &input_norms_, &factors_}) host->reserve(norms_.size());
  sizes_.reserve(norms_.size());
  kept_.reserve(norms_.size()), drawn_.reserve(norms_.size());
}

void RowGate::begin(std::int64_t step, bool whole) {
  step_ = static_cast<std::uint32_t>(step);
  whole_ = whole;
  saved_macs_ = 0;
}

RowGate::Means& RowGate::means_of(const LayerCall& c) { return means_[static_cast<std::size_t>(block_of(c))]; }

void RowGate::find_errors(const LayerCall& c, int rows) {
  kernels::row_norms(context_, rows, c.node.out.channels, c.dy, norms_.data());
  host_norms_.resize(static_cast<std::size_t>(rows));
  context_.copy_out(host_norms_.data(), norms_.data(), host_norms_.size() * sizeof(float));
  kept_.clear();
  for (std::int32_t row = 0; row < rows; ++row)
    if (host_norms_[static_cast<std::size_t>(row)] != 0) kept_.push_back(row);
}

/// The largest of kept_ stay.
void RowGate::keep_share(int rows) {
  const auto most = static_cast<std::size_t>(std::clamp<std::int64_t>(std::llround(spec_.row_share * rows), 1, rows));
  if (kept_.size() <= most) return;
  const auto norm = [&](std::int32_t row) { return host_norms_[static_cast<std::size_t>(row)]; };
  const auto larger = [&](std::int32_t a, std::int32_t b) { return norm(a) != norm(b) ? norm(a) > norm(b) : a < b; };
  const auto cut = kept_.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(kept_.begin(), cut, kept_.end(), larger);
  kept_.erase(cut, kept_.end());
  std::sort(kept_.begin(), kept_.end());
}

double RowGate::benefit(float norm) const {
  return spec_.ratio_exponent == 1 ? norm : std::pow(double{norm}, spec_.ratio_exponent);
}

/// Costs in products of the layer: a row has taken one and takes `products` more. The sums are those before this batch.
void RowGate::keep_ratio(Means& means, int rows, double products) {
  double bar = 0;
  if (means.seen > 0 && !whole_) {
    const double captured = means.benefit > 0 ? means.kept_benefit / means.benefit : 1.0;
    bar = theory::FeedbackLaw{spec_.ratio_alpha, means.benefit / means.seen, captured, means.kept / means.seen, 1,
                              products}
              .threshold();
  }
  const double f = std::exp(-rows / k_window);
  for (double* sum : {&means.seen, &means.kept, &means.benefit, &means.kept_benefit}) *sum *= f;
  std::size_t kept = 0;
  for (const std::int32_t row : kept_) {
    const double b = benefit(host_norms_[static_cast<std::size_t>(row)]);
    means.benefit += b;
    if (b <= bar) continue;
    means.kept_benefit += b;
    kept_[kept++] = row;
  }
  kept_.resize(kept);
  means.seen += rows, means.kept += static_cast<double>(kept);
}

void RowGate::run(const LayerCall& c) {
  const int rows = c.rows * tokens_of(c.node);
  find_errors(c, rows);
  if (draws() && c.want_weights && !whole_) return run_drawn(c, rows);
  const int products = (c.want_weights ? 1 : 0) + (c.want_inputs ? 1 : 0);
  if (spec_.row_gate == Kind::share && !whole_) keep_share(rows);
  if (spec_.row_gate == Kind::ratio) keep_ratio(means_of(c), rows, products);
  const auto kept = static_cast<int>(kept_.size());
  saved_macs_ += (rows - kept) * macs_of_row(c.node) * products;
  if (kept == rows) return dense_backward(c);
  run_kept(c, rows, kept_);
}

void RowGate::take(const float* from, int columns, const std::vector<std::int32_t>& rows, kernels::Buffer<float>& to) {
  kernels::compact_rows(context_, from, columns, index_.data(), static_cast<int>(rows.size()), to.data());
}

/// The layer as if a batch had so many rows, which are in inputs_ and errors_.
LayerCall RowGate::on_rows(const LayerCall& c, std::size_t rows) {
  slim_ = c.node;
  slim_.in = {1, 1, inputs_of(c.node), false}, slim_.out = {1, 1, c.node.out.channels, false};
  LayerCall part(context_, c.network, slim_, c.pass);
  part.rows = static_cast<int>(rows), part.w = c.w, part.b = c.b;
  part.x = inputs_.data(), part.dy = part.sent = errors_.data();
  part.dw = c.dw, part.db = c.db, part.dx = sent_down_.data();
  part.slope_of_x = c.slope_of_x;
  return part;
}

// The products of the kept rows, weighted where they were drawn; then the errors sent down go to their places.
void RowGate::run_kept(const LayerCall& c, int rows, const std::vector<std::int32_t>& kept) {
  const int in = inputs_of(c.node), out = c.node.out.channels;
  context_.copy_in(index_.data(), kept.data(), kept.size() * sizeof kept[0]);
  const bool weighted = &kept == &drawn_;
  const auto take_errors = [&](const float* from) {
    take(from, out, kept, errors_);
    if (weighted) scale(out);
  };
  LayerCall part = on_rows(c, kept.size());
  take(c.x, in, kept, inputs_);
  take_errors(c.dy);
  if (c.want_weights) {
    part.want_weights = true;
    dense_backward(part);
    part.want_weights = false;
  }
  if (!c.want_inputs) return;
  if (c.sent != c.dy) take_errors(c.sent);
  if (c.slopes_of_x != nullptr) take(c.slopes_of_x, in, kept, inputs_), part.slopes_of_x = inputs_.data();
  part.want_inputs = true;
  dense_backward(part);
  kernels::scatter_rows(context_, sent_down_.data(), in, index_.data(), static_cast<int>(kept.size()), rows, c.dx);
}

/// The errors of drawn_ count 1 / probability times.
void RowGate::scale(int columns) {
  context_.copy_in(norms_.data(), factors_.data(), factors_.size() * sizeof(float));
  kernels::scale_rows(context_, static_cast<int>(drawn_.size()), columns, norms_.data(), errors_.data());
}

/// Draws rows into drawn_, with their factors_; returns the sum of their squared shares. Costs in products: the forward
/// one is fixed, and so is the one that passes errors on unless it is of the drawn rows too.
double RowGate::draw(const LayerCall& c, const Means& means, int rows) {
  kernels::row_norms(context_, rows, inputs_of(c.node), c.x, norms_.data());
  input_norms_.resize(static_cast<std::size_t>(rows));
  context_.copy_out(input_norms_.data(), norms_.data(), input_norms_.size() * sizeof(float));
  sizes_.clear();
  for (std::size_t i = 0; i < host_norms_.size(); ++i)
    sizes_.push_back(host_norms_[i] * std::hypot(input_norms_[i], c.db != nullptr ? 1.0 : 0.0));
  double lambda = std::numeric_limits<double>::infinity();
  const int all = c.want_inputs ? 3 : 2, drawn = spec_.row_gate == Kind::drawn_through ? all - 1 : 1;
  if (means.seen > 0) lambda = theory::sampling_scale(sizes_, means.coherent / means.seen * rows, all - drawn, drawn);
  drawn_.clear(), factors_.clear();
  double squares = 0;
  for (const std::int32_t row : kept_) {
    const double size = sizes_[static_cast<std::size_t>(row)], p = lambda * size < 1 ? lambda * size : 1.0;
    const double u = core::uniform(seed_, {static_cast<std::uint32_t>(block_of(c)), step_, core::Purpose::unit_choice,
                                           static_cast<std::uint32_t>(row) + 1});
    if (!(u < p)) continue;
    drawn_.push_back(row), factors_.push_back(static_cast<float>(1 / p));
    squares += size * size / (p * p);
  }
  return squares;
}

/// Of the gradient of the layer, its biases behind its weights.
double RowGate::squared_norm(const LayerCall& c) {
  const std::int64_t size = (std::int64_t{inputs_of(c.node)} + (c.db != nullptr ? 1 : 0)) * c.node.out.channels;
  kernels::clip_gradient(context_, {1, size, 0}, std::numeric_limits<double>::infinity(), c.dw, norm_.data());
  kernels::ClipResult result;
  context_.copy_out(&result, norm_.data(), sizeof result);
  return result.norm * result.norm;
}

// |sum|^2 - sum of squares, both of what was drawn and weighted, has the mean of that of all rows.
void RowGate::run_drawn(const LayerCall& c, int rows) {
  Means& means = means_of(c);
  const double squares = draw(c, means, rows);
  const auto left_out = [&](const std::vector<std::int32_t>& of) {
    return (rows - std::ssize(of)) * macs_of_row(c.node);
  };
  LayerCall weights = c, errors = c;
  weights.want_inputs = c.want_inputs && spec_.row_gate == Kind::drawn_through;
  errors.want_weights = false, errors.want_inputs = c.want_inputs && !weights.want_inputs;
  saved_macs_ += left_out(drawn_) * (weights.want_inputs ? 2 : 1) + (errors.want_inputs ? left_out(kept_) : 0);
  run_kept(weights, rows, drawn_);
  if (errors.want_inputs && std::ssize(kept_) == rows)
    dense_backward(errors);
  else if (errors.want_inputs)
    run_kept(errors, rows, kept_);
  const double f = std::exp(-rows / k_window);
  means.seen = f * means.seen + rows;
  means.coherent = f * means.coherent + squared_norm(c) - squares;
}

std::vector<double> RowGate::sums() const {
  std::vector<double> all;
  for (const Means& m : means_) all.insert(all.end(), {m.seen, m.kept, m.benefit, m.kept_benefit, m.coherent});
  return all;
}

void RowGate::restore(const std::vector<double>& sums) {
  for (std::size_t i = 0; i < means_.size(); ++i) {
    const double* s = sums.data() + 5 * i;
    means_[i] = {s[0], s[1], s[2], s[3], s[4]};
  }
}

}  // namespace eos::sim
