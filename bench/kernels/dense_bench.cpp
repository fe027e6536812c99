// One dense layer: the three products of training, ours and oneDNN's sgemm (without bias and activation).
#include <dnnl.h>
#include <omp.h>

#include "bench_support.hpp"
#include "eos/kernels/dense.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

struct Layer {
  DenseShape shape;
  std::vector<float> x, w, b, y, dz, dw, db, dx;
  explicit Layer(const benchmark::State& state)
      : shape{1, static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2))} {
    const std::size_t rows = shape.rows, in = shape.in, out = shape.out;
    x = normals(rows * in, 1), w = normals(in * out, 2), b = normals(out, 3), dz = normals(rows * out, 4);
    y.resize(rows * out), dw.resize(in * out), db.resize(out), dx.resize(rows * in);
  }
  double flops() const { return 2.0 * shape.rows * shape.in * shape.out; }
};

void forward(benchmark::State& state) {
  Layer l(state);
  const Context context = Context::cpu();
  measure(state, l.flops(), 0, 1,
          [&] { dense_forward(context, l.shape, l.x.data(), l.w.data(), l.b.data(), Activation::relu, l.y.data()); });
}
void backward_weights(benchmark::State& state) {
  Layer l(state);
  const Context context = Context::cpu();
  measure(state, l.flops(), 0, 1,
          [&] { dense_backward_weights(context, l.shape, l.x.data(), l.dz.data(), l.dw.data(), l.db.data()); });
}
void backward_inputs(benchmark::State& state) {
  Layer l(state);
  const Context context = Context::cpu();
  measure(state, l.flops(), 0, 1, [&] {
    dense_backward_inputs(context, l.shape, l.dz.data(), l.w.data(), l.x.data(), Activation::relu, l.dx.data());
  });
}

void onednn_forward(benchmark::State& state) {
  Layer l(state);
  omp_set_num_threads(1);
  const dnnl_dim_t rows = l.shape.rows, in = l.shape.in, out = l.shape.out;
  measure(state, l.flops(), 0, 1,
          [&] { dnnl_sgemm('N', 'N', rows, out, in, 1, l.x.data(), in, l.w.data(), out, 0, l.y.data(), out); });
}
void onednn_backward_weights(benchmark::State& state) {
  Layer l(state);
  omp_set_num_threads(1);
  const dnnl_dim_t rows = l.shape.rows, in = l.shape.in, out = l.shape.out;
  measure(state, l.flops(), 0, 1,
          [&] { dnnl_sgemm('T', 'N', in, out, rows, 1, l.x.data(), in, l.dz.data(), out, 0, l.dw.data(), out); });
}
void onednn_backward_inputs(benchmark::State& state) {
  Layer l(state);
  omp_set_num_threads(1);
  const dnnl_dim_t rows = l.shape.rows, in = l.shape.in, out = l.shape.out;
  measure(state, l.flops(), 0, 1,
          [&] { dnnl_sgemm('N', 'T', rows, in, out, 1, l.dz.data(), out, l.w.data(), out, 0, l.dx.data(), in); });
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "in", "out"})->UseManualTime();
  for (const int rows : {128, 32}) b->Args({rows, 784, 256})->Args({rows, 256, 256})->Args({rows, 256, 10});
}
BENCHMARK(forward)->Apply(shapes);
BENCHMARK(onednn_forward)->Apply(shapes);
BENCHMARK(backward_weights)->Apply(shapes);
BENCHMARK(onednn_backward_weights)->Apply(shapes);
BENCHMARK(backward_inputs)->Apply(shapes);
BENCHMARK(onednn_backward_inputs)->Apply(shapes);

}  // namespace
}  // namespace eos::bench
