#include "riccati_kkt.hpp"

#include "riccati_kernel.hpp"

namespace eos::solvers {

void KktModel::resize(const KktShape& to) {
  shape = to;
  const std::size_t p = to.lanes(), n = to.states, v = to.stage_variables(), y = to.node(), q = to.end_rows;
  step.resize(to.intervals);
  weight.resize(p);
  hessian.resize(p * v * v);
  gradient.resize(p * v);
  jacobian.resize(p * n * v);
  defect.resize(p * n);
  end_hessian.resize(y * y);
  end_gradient.resize(y);
  end_jacobian.resize(q * y);
  end_residual.resize(q);
  start_hessian.resize(y);
  start_gradient.resize(y);
  start_parent.resize(y);
}

void KktStep::resize(const KktShape& to) {
  const std::size_t p = to.lanes(), y = to.node(), nodes = to.intervals + 1;
  node.resize(nodes * y);
  state.resize(p * to.states);
  control.resize(p * to.controls);
  multiplier.resize(p * to.states);
  costate.resize(nodes * y);
  end.resize(to.end_rows);
}

namespace {

template <int N, int NZ, int S, int F, int M>
std::unique_ptr<RiccatiKkt> fixed(const KktShape& shape) {
  if (shape.states != N || shape.statics != NZ || shape.stages != S || shape.first != F || shape.controls != M)
    return nullptr;
  return std::make_unique<RiccatiKernel<FixedDims<N, NZ, S, F, M>>>(shape);
}

/// The three schemes for one (states, statics, controls).
template <int N, int NZ, int M>
std::unique_ptr<RiccatiKkt> schemes(const KktShape& shape) {
  if (auto kernel = fixed<N, NZ, 2, 1, M>(shape)) return kernel;
  if (auto kernel = fixed<N, NZ, 3, 1, M>(shape)) return kernel;
  return fixed<N, NZ, 3, 0, M>(shape);
}

}  // namespace

std::unique_ptr<RiccatiKkt> make_kkt(const KktShape& shape) {
  if (auto kernel = schemes<1, 0, 1>(shape)) return kernel;
  if (auto kernel = schemes<2, 0, 1>(shape)) return kernel;
  if (auto kernel = schemes<3, 0, 1>(shape)) return kernel;
  if (auto kernel = schemes<4, 0, 2>(shape)) return kernel;
  if (auto kernel = schemes<2, 1, 1>(shape)) return kernel;
  if (auto kernel = schemes<3, 1, 1>(shape)) return kernel;
  return std::make_unique<RiccatiKernel<AnyDims>>(shape);
}

}  // namespace eos::solvers
