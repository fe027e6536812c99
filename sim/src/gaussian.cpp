// Gaussian teacher and student. x_j ~ N(0, 1); the label is the largest of the outputs
//   o_c = W_c x                                           (hidden = 0; Seung, Sompolinsky & Tishby 1992)
//   o_c = sqrt(3) sum_k V_ck erf(W_k x / sqrt 2)          (Saad & Solla, Phys. Rev. E 52, 4225, 1995)
// plus `noise` times a standard normal each. Rows of W are orthonormal, and those of V: outputs have variance 1
// (<erf^2(h / sqrt 2)> = (2 / pi) asin(1 / 2) = 1 / 3) and are uncorrelated. Linear classes are equally probable, by
// symmetry, as are the two classes of any teacher with odd units.
#include <cmath>

#include "generated.hpp"

namespace eos::sim {
namespace {

enum Table : std::uint32_t { k_input_weights = 16, k_output_weights };
enum Stream : std::uint32_t { k_inputs, k_noise };

class GaussianTeacher {
 public:
  explicit GaussianTeacher(const theory::GaussianSpec& spec)
      : spec_(spec),
        rows_(spec.hidden > 0 ? spec.hidden : spec.classes),
        w_(orthonormal_rows(spec.seed, k_input_weights, rows_, spec.inputs)),
        x_(static_cast<std::size_t>(spec.inputs)),
        fields_(static_cast<std::size_t>(rows_)),
        outputs_(static_cast<std::size_t>(spec.classes)),
        noise_(outputs_.size()) {
    if (spec.hidden > 0) v_ = orthonormal_rows(spec.seed, k_output_weights, spec.classes, spec.hidden);
  }

  void make(const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) {
    draws.normals(k_inputs, x_);
    for (std::size_t j = 0; j < x_.size(); ++j) inputs[j] = to_byte(x_[j]);
    evaluate();
    if (spec_.noise > 0) {
      draws.normals(k_noise, noise_);
      for (std::size_t c = 0; c < outputs_.size(); ++c) outputs_[c] += spec_.noise * noise_[c];
    }
    std::size_t best = 0;
    for (std::size_t c = 1; c < outputs_.size(); ++c)
      if (outputs_[c] > outputs_[best]) best = c;
    *label = static_cast<std::int32_t>(best);
  }

 private:
  void evaluate() {
    multiply(w_, x_, fields_);
    if (spec_.hidden == 0) {
      outputs_ = fields_;
      return;
    }
    for (double& field : fields_) field = std::sqrt(3.0) * std::erf(field / std::sqrt(2.0));
    multiply(v_, fields_, outputs_);
  }
  static void multiply(const std::vector<double>& matrix, const std::vector<double>& in, std::vector<double>& out) {
    for (std::size_t r = 0; r < out.size(); ++r) {
      out[r] = 0;
      for (std::size_t j = 0; j < in.size(); ++j) out[r] += matrix[r * in.size() + j] * in[j];
    }
  }

  theory::GaussianSpec spec_;
  int rows_;
  std::vector<double> w_, v_, x_, fields_, outputs_, noise_;
};

}  // namespace

void generate_gaussian(const theory::DataSpec& spec, TaskData& task) {
  task.inputs = task.channels = spec.gaussian.inputs;
  task.classes = spec.gaussian.classes;
  GaussianTeacher teacher(spec.gaussian);
  generate_samples(spec, task, [&](const SampleDraws& draws, std::uint8_t* inputs, std::int32_t* label) {
    teacher.make(draws, inputs, label);
  });
}

}  // namespace eos::sim
