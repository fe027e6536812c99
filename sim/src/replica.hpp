// One training run: the loop of docs/training.md, a chunk at a time, on the kernels of one context.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/kernels/dropout.hpp"
#include "eos/sim/train.hpp"
#include "epoch_row.hpp"
#include "gate.hpp"
#include "goal_watch.hpp"
#include "input_map.hpp"
#include "layer_gate.hpp"
#include "network.hpp"
#include "online_update.hpp"
#include "open_loop.hpp"
#include "outputs.hpp"
#include "plasticity.hpp"
#include "proxy.hpp"
#include "row_gate.hpp"
#include "shallow.hpp"
#include "stream.hpp"
#include "structure.hpp"
#include "write_law.hpp"

namespace eos::sim {

/// The inputs of a set where the kernels can read them; on the CPU that is where they are already.
class ResidentInputs {
 public:
  ResidentInputs(const kernels::Context& context, const LabelledSet& set);
  const std::uint8_t* data() const { return copy_.size() > 0 ? copy_.data() : set_->inputs.data(); }
  const LabelledSet& set() const { return *set_; }

 private:
  const LabelledSet* set_;
  kernels::Buffer<std::uint8_t> copy_;
};

/// Of one sample, where the topology may be sparse.
theory::NetworkCounts network_counts(const theory::TopologySpec& topology, const Network& network);

/// What all replicas of a run share.
struct RunSetup {
  RunSetup(const theory::TrainingSpec& spec, const TaskData& data, const kernels::Context& context);

  theory::TrainingSpec spec;
  theory::SelectionSpec selection;    ///< effective
  theory::PlasticitySpec plasticity;  ///< effective
  Network layout;
  theory::NetworkCounts counts;
  OpenLoop open_loop;
  ResidentInputs train, validation, test;
  InputMap inputs;            ///< from bytes to what the network sees
  bool keep_weights = false;  ///< at every evaluation
};

class Replica {
 public:
  Replica(const RunSetup& setup, const kernels::Context& context, std::uint64_t seed);
  Replica(const Replica&) = delete;  // its parts know each other's addresses
  Replica& operator=(const Replica&) = delete;

  /// Presents one chunk and does what follows from it; the last call also trains what is left and evaluates.
  void advance();
  bool finished() const { return finished_; }
  /// Positions offered, in epochs.
  double epoch() const { return setup_.open_loop.epoch(stream_.state.position); }
  double recent_loss() const { return recent_loss_; }
  const theory::Ledger& ledger() const { return ledger_; }
  ReplicaResult result(RunStatus status);
  RunStatus status() const;

  /// Everything that the rest of the run depends on.
  core::Dataset checkpoint();
  void restore(const core::Dataset& data);

 private:
  /// Rows collected for the next update; their activations are in batch_.
  struct Pending {
    std::vector<std::int32_t> samples;
    std::vector<std::int32_t> labels;  ///< [samples][predictions]
    std::vector<float> weights;
    std::vector<std::uint32_t> views;
    double loss = 0;       ///< sum
    bool in_place = true;  ///< every row was forwarded in batch_ and has its dz: nothing to gather
    int forwarded_in_place = 0;
    int size() const { return static_cast<int>(samples.size()); }
    void clear();
  };

  int chunk_size() const;
  void forward_chunk(bool in_place);
  void score(Activations& activations, int first, bool in_place);
  void score_gaps(const float* logits);
  void note_forward();
  void count_presented(std::int64_t rows);
  void refresh_hidden();
  void prefilter(Moment now);
  void score_by_proxy();
  void score_by_features(std::int64_t epoch);
  void refresh_centres(std::int64_t epoch);
  void load_samples(const std::vector<Row>& rows);
  void forward_from_features(int first);
  void count_reads();
  std::vector<float> first_features();
  std::int64_t shallow_macs() const;
  void collect(bool in_place);
  void collect_kept();
  void finish_chunk();
  void update();
  void grow();
  void note_growth();
  void choose_depth(int rows);
  void write_gradient(const WriteControls& controls);
  void pass();
  std::int64_t take_presentations();
  theory::Ledger count_layers();
  void load_batch(int rows, float scale);
  theory::Ledger count_update(int rows);
  void record_step(double rate, double theta, double loss);
  void evaluate_if_due();
  void evaluate();
  void end_at_goal();
  SetScore evaluate_set(const ResidentInputs& inputs);
  void upload_labels(const std::vector<std::int32_t>& labels, const std::vector<float>& weights);
  const float* forward_weights() const { return structure_.forward_weights(weights_.data()); }
  /// views: as Row::view; empty: not augmented.
  void gather(const ResidentInputs& inputs, const std::vector<std::int32_t>& samples,
              const std::vector<std::uint32_t>& views, float* to);
  /// A batch whose rows were scored is forwarded again to train them.
  bool forwards_again() const { return setup_.selection.two_forward || setup_.layout.graph.trains_differently(); }
  /// Whether the rows of a pending batch are stored with their activations.
  bool keeps_activations() const { return !forwards_again() || pending_.in_place; }
  bool scores_weights() const { return setup_.selection.present == theory::Present::infobatch; }
  Pass pass_of(int first, int rows, Mode mode);
  bool fills_batch_in_place(bool all_sure) const;
  void take_scores(std::size_t rows);
  bool full_batches() const { return setup_.selection.batching == theory::Batching::full; }

  template <class Self, class Visit>
  static void visit_scalars(Self& self, Visit visit);
  void save_selection(core::Dataset& data);
  void load_selection(const core::Dataset& data);
  void save_rows(core::Dataset& data);
  void load_rows(const core::Dataset& data);

  const RunSetup& setup_;
  kernels::Context context_;
  std::uint64_t seed_;
  theory::NetworkCounts counts_;  ///< of the network as it is now
  Gate gate_;
  Stream stream_;
  RunningMeans means_;
  std::optional<Proxy> proxy_;
  std::optional<ShallowDensity> density_;
  Structure structure_;
  RowGate row_gate_;
  LayerGate layer_gate_;
  Plasticity plasticity_;
  WriteLaw write_law_;
  OnlineUpdate online_;
  std::vector<float> initial_;                         ///< weights
  kernels::Buffer<float> weights_, gradient_, state_;  ///< state: running statistics of batch norm
  kernels::Buffer<kernels::DropoutDraw> draws_;
  Activations batch_, chunk_;
  Backward backward_;
  OutputScorer scorer_;
  kernels::Buffer<float> scores_;  ///< loss, p_true, residual: [3][capacity]
  kernels::Buffer<std::uint8_t> correct_;
  kernels::Buffer<std::int32_t> correct_tokens_;
  kernels::Buffer<float> dz_, sent_, sample_weights_;
  kernels::Buffer<std::int32_t> labels_, index_;
  kernels::Buffer<std::uint32_t> views_;

  // Host scratch of one chunk; kept between chunks so that the steady state allocates nothing.
  std::vector<Row> rows_, returned_, candidates_;
  std::vector<std::uint32_t> row_views_;
  std::vector<std::int32_t> row_samples_, row_labels_, kept_, correct_counts_;
  std::vector<float> row_weights_, score_words_, logits_, prediction_weights_;
  std::vector<std::uint8_t> keep_;
  Scores host_scores_;
  std::vector<std::int32_t> passed_;  ///< rows of chunk_ whose first hidden layer the last rows of rows_ can reuse
  int prescored_ = 0;                 ///< rows at the end of rows_ that were counted as seen when they were scored

  Pending pending_;
  theory::Ledger ledger_, row_ledger_, step_ledger_;  ///< now, at the last epoch row, at the last step row
  std::vector<theory::Ledger> layer_ledgers_;
  std::vector<EpochRow> epoch_rows_;
  std::vector<std::vector<float>> weights_at_;
  std::vector<StepRow> step_rows_;
  std::int64_t batch_begin_ = 0;  ///< stream position at which the present batch began
  std::int64_t chunks_ = 0;
  std::int64_t presented_ = 0;       ///< samples seen when the last batch ended
  std::int64_t centres_epoch_ = -1;  ///< in which the centres of Score::shallow were forwarded last
  std::int64_t evaluations_ = 0;     ///< of evaluate_every, passed
  std::int64_t kept_since_row_ = 0, kept_since_step_ = 0;  ///< rows the gate kept since the last row of each table
  double loss_sum_ = 0;                                    ///< over samples forwarded for training since the last row
  std::int64_t forwarded_since_row_ = 0;                   ///< those samples
  double rate_ = 0;                                        ///< of the last update
  double recent_loss_ = 0, seconds_ = 0;
  GoalWatch goal_;
  bool diverged_ = false, finished_ = false;
};

}  // namespace eos::sim
