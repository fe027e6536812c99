// Which rows of a dense layer take part in its backward pass (theory::RowGate): the products are those of these rows.
//
// A row is a token of a sequence, or a sample where there are none. Its size is |error|, that of the layer's outputs.
// Rows without any error change nothing and are always left out. Gates that draw do so by |error| |input|, the size of
// a row's share of the weight gradient. What decides comes to the host, layer by layer; the products stay where they
// are. Convolutions, attention and norms are whole.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/clip.hpp"
#include "eos/theory/selection_spec.hpp"
#include "layers.hpp"

namespace eos::sim {

class RowGate {
 public:
  /// capacity: samples of the largest batch.
  RowGate(const kernels::Context& context, const theory::SelectionSpec& spec, const Network& network, int capacity,
          std::uint64_t seed);

  bool on() const { return spec_.row_gate != theory::RowGate::none; }
  /// Before the backward pass of update `step`, from 1. `whole`: a phase on all data, in which every row with an error
  /// is kept.
  void begin(std::int64_t step, bool whole);
  /// Backward of a dense layer, of the rows kept. One replica.
  void run(const LayerCall& c);
  /// Multiply-adds left out in the pass begun last.
  std::int64_t saved_macs() const { return saved_macs_; }

  /// Running sums by block; must survive a checkpoint.
  std::vector<double> sums() const;
  void restore(const std::vector<double>& sums);

 private:
  /// Exponentially forgetting sums over the rows of one layer.
  struct Means {
    double seen = 0, kept = 0, benefit = 0, kept_benefit = 0;  ///< RowGate::ratio
    double coherent = 0;  ///< RowGate::drawn: |sum g|^2 - sum |g|^2 of batches, estimated without bias
  };
  Means& means_of(const LayerCall& c);
  void find_errors(const LayerCall& c, int rows);
  void keep_share(int rows);
  void keep_ratio(Means& means, int rows, double products);
  double benefit(float norm) const;
  bool draws() const {
    return spec_.row_gate == theory::RowGate::drawn || spec_.row_gate == theory::RowGate::drawn_through;
  }
  void run_drawn(const LayerCall& c, int rows);
  double draw(const LayerCall& c, const Means& means, int rows);
  double squared_norm(const LayerCall& c);
  void scale(int columns);
  void run_kept(const LayerCall& c, int rows, const std::vector<std::int32_t>& kept);
  LayerCall on_rows(const LayerCall& c, std::size_t rows);
  void take(const float* from, int columns, const std::vector<std::int32_t>& rows, kernels::Buffer<float>& to);

  kernels::Context context_;
  theory::SelectionSpec spec_;
  std::uint64_t seed_;
  std::uint32_t step_ = 0;
  bool whole_ = false;
  std::int64_t saved_macs_ = 0;
  std::vector<Means> means_;  ///< by block
  std::vector<float> host_norms_, input_norms_, factors_;
  std::vector<double> sizes_;
  std::vector<std::int32_t> kept_, drawn_;  ///< rows, increasing
  kernels::Buffer<float> norms_;            ///< of rows; then their factors
  kernels::Buffer<std::int32_t> index_;
  kernels::Buffer<float> inputs_, errors_, sent_down_;  ///< of the kept rows
  kernels::Buffer<kernels::ClipResult> norm_;
  theory::Node slim_;  ///< the layer on plain rows; kept for the memory of its names
};

}  // namespace eos::sim
