// Matrix products by oneDNN, then the epilogue in a second pass.
#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "eos/core/error.hpp"
#include "sgemm.hpp"

namespace eos::kernels {

namespace {

/// oneDNN's OpenMP pool belongs to the calling thread: keep it at one thread for the duration of a call.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOpenMpThread() { omp_set_num_threads(before_); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_;
};

void finish_row(const Sgemm& p, std::int64_t row) {
  float* c = p.c + row * p.ldc;
  for (std::int64_t j = 0; j < p.n; ++j) {
    float value = p.bias != nullptr ? c[j] + p.bias[j] : c[j];
    if (p.relu && value < 0) value = 0;
    if (p.gate != nullptr && !(p.gate[row * p.ldc + j] > 0)) value = 0;
    c[j] = value;
  }
}

}  // namespace

void sgemm_sum_columns(const Sgemm& p) {
  if (p.b_sums == nullptr) return;
  std::fill_n(p.b_sums, p.n, 0.0f);
  for (std::int64_t t = 0; t < p.k; ++t) {
    for (std::int64_t j = 0; j < p.n; ++j) p.b_sums[j] += p.b[t * p.ldb + j];
  }
}

void sgemm_onednn(const Sgemm& p) {
  sgemm_sum_columns(p);
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) {
    for (std::int64_t i = 0; i < p.m; ++i) {
      for (std::int64_t j = 0; j < p.n; ++j) p.c[i * p.ldc + j] = 0;
    }
  } else {
    const OneOpenMpThread guard;
    const dnnl_status_t status = dnnl_sgemm(p.transpose_a ? 'T' : 'N', p.transpose_b ? 'T' : 'N', p.m, p.n, p.k, 1.0f,
                                            p.a, p.lda, p.b, p.ldb, 0.0f, p.c, p.ldc);
    if (status != dnnl_success) {
      throw core::Error("E306", fmt::format("oneDNN: sgemm of {} x {} x {} failed with status {}", p.m, p.n, p.k,
                                            static_cast<int>(status)));
    }
  }
  if (p.bias == nullptr && p.gate == nullptr && !p.relu) return;
  for (std::int64_t i = 0; i < p.m; ++i) finish_row(p, i);
}

}  // namespace eos::kernels
