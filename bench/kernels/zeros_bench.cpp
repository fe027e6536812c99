// The products of layer 784-256 with zeros in op(A), by density: all terms against skipping zeros. Same bits, other
// times. The counter `pays` is 1 where sgemm() would skip.
#include "../../kernels/src/sgemm.hpp"
#include "bench_support.hpp"

namespace {

using namespace eos::kernels;
using namespace eos::bench;

void zeros(benchmark::State& state, bool weight_gradient, bool skip) {
  const std::int64_t rows = state.range(0), in = 784, out = 256;
  const double density = static_cast<double>(state.range(1)) / 100;
  std::vector<float> a(static_cast<std::size_t>(rows * in));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double draw = eos::core::uniform(1, {0, 0, eos::core::Purpose::test, static_cast<std::uint32_t>(i)});
    a[i] = draw < density ? 1.0f : 0.0f;
  }
  const std::vector<float> b = normals(static_cast<std::size_t>(in * out), 1);
  std::vector<float> c(static_cast<std::size_t>(in * out));
  Sgemm p;
  p.transpose_a = weight_gradient;
  p.m = weight_gradient ? in : rows, p.n = out, p.k = weight_gradient ? rows : in;
  p.a = a.data(), p.lda = in, p.b = b.data(), p.ldb = out, p.c = c.data(), p.ldc = out;
  state.counters["pays"] = sgemm_zeros_pay(p) ? 1 : 0;
  measure(state, 2.0 * static_cast<double>(rows * in * out) * (skip ? density : 1), 0, 1,
          [&] { skip ? sgemm_zeros(p) : sgemm_all_terms(p); });
}

BENCHMARK_CAPTURE(zeros, forward_all, false, false)
    ->ArgNames({"rows", "density%"})
    ->ArgsProduct({{32, 128}, {50}})
    ->UseManualTime();
BENCHMARK_CAPTURE(zeros, forward_skip, false, true)
    ->ArgNames({"rows", "density%"})
    ->ArgsProduct({{32, 128}, {20, 50, 70, 90}})
    ->UseManualTime();
BENCHMARK_CAPTURE(zeros, gradient_all, true, false)
    ->ArgNames({"rows", "density%"})
    ->ArgsProduct({{32, 128}, {50}})
    ->UseManualTime();
BENCHMARK_CAPTURE(zeros, gradient_skip, true, true)
    ->ArgNames({"rows", "density%"})
    ->ArgsProduct({{32, 128}, {20, 50, 70, 90}})
    ->UseManualTime();

}  // namespace
