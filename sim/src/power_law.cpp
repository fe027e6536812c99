// Power-law spectra of inputs and target (capacity and source conditions; Spigler, Geiger & Wyart 2020; Bordelon,
// Canatar & Pehlevan 2020):
//   x = sum_k sqrt(lambda_k) z_k e_k,   lambda_k = k^-a,          z_k ~ N(0, 1), e_k random orthonormal
//   f = sum_k g_k z_k,                  g_k^2 ~ k^-(s a + 1), sum_k g_k^2 = 1, signs random
// f is a linear function of x with variance 1. Its classes are the quantiles of f + noise, all equally probable.
// Inputs are scaled so that the coordinate of largest variance has k_unit_bytes a standard deviation: eigenvalues below
// 1/12 (byte^2) of that scale drown in the rounding.
#include <algorithm>
#include <cmath>

#include "generated.hpp"

namespace eos::sim {
namespace {

enum Table : std::uint32_t { k_modes = 18, k_signs };
enum Stream : std::uint32_t { k_inputs, k_noise };

/// Share of a standard normal below x.
double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

class PowerLaw {
 public:
  explicit PowerLaw(const theory::PowerLawSpec& spec)
      : spec_(spec),
        n_(static_cast<std::size_t>(spec.inputs)),
        modes_(orthonormal_rows(spec.seed, k_modes, spec.inputs, spec.inputs)),
        target_(n_),
        z_(n_),
        x_(n_),
        noise_(1) {
    const std::vector<double> signs = table_normals(spec.seed, k_signs, n_);
    double norm = 0;
    for (std::size_t k = 0; k < n_; ++k) {
      const double share = std::pow(1.0 + static_cast<double>(k), -(spec.source * spec.exponent + 1));
      target_[k] = std::copysign(std::sqrt(share), signs[k]);
      norm += share;
    }
    for (double& g : target_) g /= std::sqrt(norm);
    scale_modes();
  }

  void make(const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) {
    draws.normals(k_inputs, z_);
    std::fill(x_.begin(), x_.end(), 0.0);
    double f = 0;
    for (std::size_t k = 0; k < n_; ++k) {
      f += target_[k] * z_[k];
      const double* mode = modes_.data() + k * n_;
      for (std::size_t j = 0; j < n_; ++j) x_[j] += z_[k] * mode[j];
    }
    for (std::size_t j = 0; j < n_; ++j) inputs[j] = to_byte(x_[j]);
    if (spec_.noise > 0) {
      draws.normals(k_noise, noise_);
      f = (f + spec_.noise * noise_[0]) / std::sqrt(1 + spec_.noise * spec_.noise);
    }
    *label = std::min(spec_.classes - 1, static_cast<std::int32_t>(spec_.classes * normal_below(f)));
  }

 private:
  /// Row k becomes sqrt(lambda_k) e_k in units of the largest standard deviation of a coordinate.
  void scale_modes() {
    std::vector<double> variance(n_, 0.0);
    for (std::size_t k = 0; k < n_; ++k) {
      const double root = std::pow(1.0 + static_cast<double>(k), -spec_.exponent / 2);
      for (std::size_t j = 0; j < n_; ++j) {
        double& m = modes_[k * n_ + j];
        m *= root;
        variance[j] += m * m;
      }
    }
    const double largest = std::sqrt(*std::max_element(variance.begin(), variance.end()));
    for (double& m : modes_) m /= largest;
  }

  theory::PowerLawSpec spec_;
  std::size_t n_;
  std::vector<double> modes_, target_, z_, x_, noise_;
};

}  // namespace

void generate_power_law(const theory::DataSpec& spec, TaskData& task) {
  task.inputs = task.channels = spec.power_law.inputs;
  task.classes = spec.power_law.classes;
  PowerLaw law(spec.power_law);
  generate_samples(spec, task, [&](const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) {
    law.make(draws, inputs, label);
  });
}

}  // namespace eos::sim
