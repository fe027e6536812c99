// Integrate a mode problem under controls that are constant on intervals, and differentiate the result exactly.
//
// Each interval is divided into equal steps of the scheme in etd_step.hpp: the decay, whose rates span
// lambda_1/lambda_P, is exact, so steps are limited only by the change of V. Where the problem asks for it, the steps
// are those of rk4_step.hpp, or their number is fixed, or the exact recursion of recursion_step.hpp takes their place.
// The gradient is the adjoint of the discrete scheme, exact to rounding (tested against finite differences).
#pragma once

#include <span>
#include <vector>

#include "recursion_step.hpp"
#include "rk4_step.hpp"

namespace eos::solvers {

class ModeIntegrator {
 public:
  /// pre: edges increase from 0. substeps is rounded up to an even number, so that interval midpoints are steps' ends;
  /// the problem's own number of steps goes before it. throws Error E401 when the problem asks for the recursion and an
  /// interval is not a whole number of steps long.
  ModeIntegrator(const theory::ModeModel& model, std::vector<double> edges, int substeps);

  std::size_t intervals() const { return edges_.size() - 1; }
  const std::vector<double>& edges() const { return edges_; }
  double length(std::size_t i) const { return edges_[i + 1] - edges_[i]; }
  std::size_t steps() const { return first_.back(); }  ///< over all intervals

  /// J of the controls, [intervals]; may be inf or NaN when the dynamics blow up.
  double forward(std::span<const theory::Controls> controls);
  /// dJ/d(controls) at the controls of the last forward(); also fills the costates.
  /// post: every element of gradient is written.
  void backward(std::span<const theory::Controls> controls, std::span<theory::ControlGradient> gradient);

  /// Refines every interval in which doing so changes the loss, its integral or the path by more than `tolerance`,
  /// relative; returns true if anything changed. Starts from the states of the last forward(). A number of steps that
  /// the problem fixes stays.
  bool refine(std::span<const theory::Controls> controls, double tolerance);

  // Results of the last forward() and backward(), at interval edges and midpoints.
  std::span<const double> state(std::size_t edge) const { return node(state_, first_[edge]); }
  std::span<const double> costate(std::size_t edge) const { return node(costate_, first_[edge]); }
  std::span<const double> mid_state(std::size_t i) const { return node(state_, first_[i] + mesh_[i].middle()); }
  /// Of the recursion: at the end of the middle step, where the discrete Hamiltonian has its costate.
  std::span<const double> mid_costate(std::size_t i) const {
    return node(costate_, first_[i] + mesh_[i].middle() + (recursion_ ? 1 : 0));
  }
  double energy(std::size_t i) const { return energy_[i].total(); }                   ///< int e dt over interval i
  const theory::EnergyRate& energy_terms(std::size_t i) const { return energy_[i]; }  ///< the same by term
  double loss_integral(std::size_t i) const { return loss_integral_[i]; }             ///< int L dt over interval i

 private:
  /// How an interval is cut: `halvings` + 1 blocks of `steps` steps; the first two blocks are equally long.
  struct Mesh {
    std::size_t steps = 2, halvings = 0;
    std::size_t total() const { return steps * (halvings + 1); }
    std::size_t middle() const { return halvings == 0 ? steps / 2 : steps * halvings; }
    double share(std::size_t block) const;  // length of a block's steps as a share of the interval
    bool operator==(const Mesh&) const = default;
  };
  struct Interval {
    theory::Captures captures;
    theory::PathFactors path;
    std::vector<EtdCoefficients> blocks;  // exponential scheme, one per block of the mesh
    Rk4Coefficients rk4;
    RecursionCoefficients recursion;
  };
  struct Outcome {
    double loss = 0, loss_integral = 0;  // at the end, over the interval
    theory::WriteCost write;             // over the interval
  };

  std::span<const double> node(const std::vector<double>& values, std::size_t index) const {
    return std::span<const double>(values).subspan(index * modes_, modes_);
  }
  /// Adds int V dt and the cost of the size of writes of one step from m to next.
  void step(const Interval& interval, std::size_t block, double rate, std::span<const double> m, std::span<double> next,
            Outcome& sum);
  void layout();
  void set_recursion_mesh();
  void prepare(std::size_t i, const theory::Controls& u, const Mesh& mesh, Interval& interval) const;
  /// nodes[0] is the initial state; fills the others.
  Outcome run(const theory::Controls& u, const Mesh& mesh, const Interval& interval, std::span<double> nodes);
  Mesh refined(std::size_t i, const theory::Controls& u, double tolerance);

  theory::ModeModel model_;
  std::size_t modes_;
  std::vector<double> edges_;
  std::vector<Mesh> mesh_;
  std::vector<std::size_t> first_;  // node index of each edge
  std::vector<double> state_, costate_, loss_integral_;
  std::vector<theory::EnergyRate> energy_;
  std::vector<Interval> interval_;
  bool rk4_, recursion_, fixed_;  // scheme, and whether refine() leaves the mesh alone
  EtdStages stages_;
  Rk4Stages rk4_stages_;
};

}  // namespace eos::solvers
