// Convolutions of a small image network (3 x 32 x 32; 32, 64, 128 channels of 3 x 3 kernels), each with and without its
// rectifier and 2 x 2 max-pooling: ours, oneDNN's convolution primitives in the same layout (channels last, weights in
// the format oneDNN prefers, reordered outside the timing; its pooling is not counted), and im2col with our product.
// GFLOP/s count the dense multiply-adds, also where most derivatives are zero.
#include <omp.h>

#include <dnnl.hpp>

#include "bench_support.hpp"
#include "eos/kernels/conv2d.hpp"
#include "eos/kernels/dense.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

/// Arguments: side, in, out, pool.
struct Layer {
  ConvShape shape;
  std::vector<float> x, w, b, y, dz, dw, db, dx;
  std::vector<std::uint8_t> winners;

  explicit Layer(const benchmark::State& state) {
    shape.rows = 128;
    shape.height = shape.width = static_cast<int>(state.range(0));
    shape.in = static_cast<int>(state.range(1)), shape.out = static_cast<int>(state.range(2));
    shape.kernel_h = shape.kernel_w = 3, shape.padding = 1, shape.pool = static_cast<int>(state.range(3));
    const std::size_t rows = shape.rows, pixels = shape.height * shape.width;
    const std::size_t outputs = rows * shape.out_height() * shape.out_width() * shape.out;
    x = normals(rows * pixels * shape.in, 1), w = normals(std::size_t{9} * shape.in * shape.out, 2);
    b = normals(shape.out, 3), dz = normals(outputs, 4);
    for (float& value : x) value = shape.in > 3 && value < 0 ? 0.0f : value;
    y.resize(outputs), dw.resize(w.size()), db.resize(b.size()), dx.resize(x.size());
    winners.resize(rows * static_cast<std::size_t>(shape.winner_bytes()));
    forward();
    for (std::size_t i = 0; i < outputs; ++i) dz[i] = y[i] > 0 ? dz[i] : 0.0f;
  }
  void forward() {
    conv2d_forward(context, shape, x.data(), w.data(), b.data(), Activation::relu, y.data(), winners.data());
  }
  double flops() const { return 2.0 * 128 * shape.height * shape.width * 9 * shape.in * shape.out; }

  Context context = Context::cpu();
};

void forward(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), 0, 1, [&] { l.forward(); });
}
void backward_weights(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), 0, 1, [&] {
    conv2d_backward_weights(l.context, l.shape, l.x.data(), l.dz.data(), l.winners.data(), l.dw.data(), l.db.data());
  });
}
void backward_inputs(benchmark::State& state) {
  Layer l(state);
  measure(state, l.flops(), 0, 1, [&] {
    conv2d_backward_inputs(l.context, l.shape, l.dz.data(), l.winners.data(), l.w.data(), l.x.data(), Activation::relu,
                           l.dx.data());
  });
}

/// oneDNN without pooling.
struct Peer {
  using dims = dnnl::memory::dims;
  using tag = dnnl::memory::format_tag;
  using desc = dnnl::memory::desc;
  static constexpr auto k_float = dnnl::memory::data_type::f32;

  bool one_thread = (omp_set_num_threads(1), true);  ///< before oneDNN plans its work
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dims stride{1, 1}, padding{1, 1};
  desc x, y, w, b;
  dnnl::convolution_forward::primitive_desc forward;

  explicit Peer(const ConvShape& s)
      : x({s.rows, s.in, s.height, s.width}, k_float, tag::nhwc),
        y({s.rows, s.out, s.height, s.width}, k_float, tag::nhwc),
        w({s.out, s.in, 3, 3}, k_float, tag::any),
        b({s.out}, k_float, tag::x),
        forward(make(), relu(), engine) {}
  dnnl::convolution_forward::desc make() const {
    return {
        dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, x, w, b, y, stride, padding, padding};
  }
  static dnnl::primitive_attr relu() {
    dnnl::post_ops after;
    after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(after);
    return attributes;
  }
  dnnl::memory filled(const desc& description) const {
    dnnl::memory memory(description, engine);
    std::fill_n(static_cast<float*>(memory.get_data_handle()), description.get_size() / sizeof(float), 0.5f);
    return memory;
  }
  void run(const dnnl::primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments) {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

void onednn_forward(benchmark::State& state) {
  const Layer l(state);
  Peer p(l.shape);
  const dnnl::convolution_forward primitive(p.forward);
  const std::unordered_map<int, dnnl::memory> arguments = {{DNNL_ARG_SRC, p.filled(p.x)},
                                                           {DNNL_ARG_WEIGHTS, p.filled(p.forward.weights_desc())},
                                                           {DNNL_ARG_BIAS, p.filled(p.b)},
                                                           {DNNL_ARG_DST, p.filled(p.y)}};
  measure(state, l.flops(), 0, 1, [&] { p.run(primitive, arguments); });
}
void onednn_backward_weights(benchmark::State& state) {
  const Layer l(state);
  Peer p(l.shape);
  const dnnl::convolution_backward_weights::primitive_desc description(
      {dnnl::algorithm::convolution_direct, p.x, p.w, p.b, p.y, p.stride, p.padding, p.padding}, p.engine, p.forward);
  const dnnl::convolution_backward_weights primitive(description);
  const std::unordered_map<int, dnnl::memory> arguments = {
      {DNNL_ARG_SRC, p.filled(p.x)},
      {DNNL_ARG_DIFF_DST, p.filled(p.y)},
      {DNNL_ARG_DIFF_WEIGHTS, p.filled(description.diff_weights_desc())},
      {DNNL_ARG_DIFF_BIAS, p.filled(p.b)}};
  measure(state, l.flops(), 0, 1, [&] { p.run(primitive, arguments); });
}
void onednn_backward_inputs(benchmark::State& state) {
  const Layer l(state);
  Peer p(l.shape);
  const dnnl::convolution_backward_data::primitive_desc description(
      {dnnl::algorithm::convolution_direct, p.x, p.w, p.y, p.stride, p.padding, p.padding}, p.engine, p.forward);
  const dnnl::convolution_backward_data primitive(description);
  const std::unordered_map<int, dnnl::memory> arguments = {{DNNL_ARG_DIFF_SRC, p.filled(p.x)},
                                                           {DNNL_ARG_WEIGHTS, p.filled(description.weights_desc())},
                                                           {DNNL_ARG_DIFF_DST, p.filled(p.y)}};
  measure(state, l.flops(), 0, 1, [&] { p.run(primitive, arguments); });
}

/// One matrix of patches an image, and our product.
void im2col_forward(benchmark::State& state) {
  Layer l(state);
  const int side = l.shape.height, in = l.shape.in, places = side * side;
  std::vector<float> patches(static_cast<std::size_t>(places) * 9 * in),
      y(static_cast<std::size_t>(places) * l.shape.out);
  const auto write_patches = [&](const float* image) {
    float* to = patches.data();
    for (int place = 0; place < places; ++place) {
      for (int tap = 0; tap < 9; ++tap, to += in) {
        const int row = place / side + tap / 3 - 1, column = place % side + tap % 3 - 1;
        const bool inside = row >= 0 && row < side && column >= 0 && column < side;
        if (inside)
          std::copy_n(image + (row * side + column) * in, in, to);
        else
          std::fill_n(to, in, 0.0f);
      }
    }
  };
  measure(state, l.flops(), 0, 1, [&] {
    for (int image = 0; image < l.shape.rows; ++image) {
      write_patches(l.x.data() + static_cast<std::size_t>(image) * places * in);
      dense_forward(l.context, {1, places, 9 * in, l.shape.out}, patches.data(), l.w.data(), l.b.data(),
                    Activation::relu, y.data());
    }
  });
}

void layers(benchmark::internal::Benchmark* b) {
  b->ArgNames({"side", "in", "out", "pool"})->UseManualTime();
  for (const int pool : {2, 0}) b->Args({32, 3, 32, pool})->Args({16, 32, 64, pool})->Args({8, 64, 128, pool});
}
void peers(benchmark::internal::Benchmark* b) {
  b->ArgNames({"side", "in", "out", "pool"})->UseManualTime();
  b->Args({32, 3, 32, 0})->Args({16, 32, 64, 0})->Args({8, 64, 128, 0});
}
BENCHMARK(forward)->Apply(layers);
BENCHMARK(im2col_forward)->Apply(peers);
BENCHMARK(onednn_forward)->Apply(peers);
BENCHMARK(backward_weights)->Apply(layers);
BENCHMARK(onednn_backward_weights)->Apply(peers);
BENCHMARK(backward_inputs)->Apply(layers);
BENCHMARK(onednn_backward_inputs)->Apply(peers);

}  // namespace
}  // namespace eos::bench
