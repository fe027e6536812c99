#include "toml_schema.hpp"

namespace eos::io {

using theory::ModeProblem;

namespace {

const std::vector<std::string> k_rules{"all", "random", "ranked"};

void bind_fraction(Binder& b, theory::Rule& rule, theory::Bounds& bounds) {
  b.choice({"rule", "", "all: no choice; random subset; ranked: the largest"}, rule, k_rules);
  b.number({"lower", "1", "smallest fraction"}, bounds.lower, k_share);
  b.number({"upper", "1", "largest fraction"}, bounds.upper, k_share);
}

}  // namespace

void bind(Binder& b, theory::Schedule& s) {
  b.numbers(
      {"edges", "1", "interval edges from 0 to 1 in progress (share of the horizon passed); absent: equal intervals"},
      s.edges, k_unit);
  b.numbers({"data_fraction", "1", "share of presented samples that are back-propagated, one per interval; absent: 1"},
            s.data_fraction, k_share);
  b.numbers({"weight_fraction", "1", "share of weights written per update, one per interval; absent: 1"},
            s.weight_fraction, k_share);
  b.numbers({"learning_rate", "1", "one per interval; absent: the law of [optimiser]"}, s.learning_rate,
            k_not_negative);
  b.choice({"data_rule", "", "how the samples are chosen"}, s.data_rule, k_rules);
  b.choice({"weight_rule", "", "how the weights are chosen"}, s.weight_rule, k_rules);
  b.number({"epochs", "epochs", "horizon the schedule was made for, 0: any"}, s.epochs, k_not_negative);
  b.text({"origin", "", "how it was made"}, s.origin);
}

void bind(Binder& b, theory::PriceList& p) {
  b.text({"name", "", "short name"}, p.name);
  b.text({"title", "", "one line for tables"}, p.title);
  b.text({"source", "", "where the numbers come from"}, p.source);
  b.number({"mac", "J", "per multiply-add, forward and backward"}, p.mac, k_not_negative);
  b.number({"scoring_mac", "J", "per multiply-add of scoring forwards"}, p.scoring_mac, k_not_negative);
  b.number({"write", "J", "per parameter whose stored value changes (M_0)"}, p.write, k_not_negative);
  b.number({"path", "J", "per unit of sum |dw| (M_1)"}, p.path, k_not_negative);
  b.number({"path_squared", "J", "per unit of sum dw^2 (M_2)"}, p.path_squared, k_not_negative);
  b.number({"transient_path", "J", "per unit of sum |ds| of transient weights"}, p.transient_path, k_not_negative);
  b.number({"accumulator", "J", "per accumulator word updated"}, p.accumulator, k_not_negative);
  b.number({"maintenance", "J", "per unit of sum |s| of transient weights and presentation"}, p.maintenance,
           k_not_negative);
  b.number({"weight_read", "J", "per parameter word read"}, p.weight_read, k_not_negative);
  b.number({"input_byte", "J", "per input byte"}, p.input_byte, k_not_negative);
  b.number({"sample", "J", "per sample presented: upkeep of time"}, p.sample, k_not_negative);
}

void bind(Binder& b, theory::EnergyModel& m) {
  b.table({"energy_model", "", "joules of a machine without counters, fitted on one that has them", true},
          [&](Binder& t) {
            t.text({"name", "", "the machine", true}, m.name);
            t.text({"source", "", "who measured the coefficients, where and how", true}, m.source);
            t.number({"idle_watts", "W", "power of the idle machine"}, m.idle_watts, k_not_negative);
            t.number({"joules_per_flop", "J", "per floating-point operation, two a multiply-add"}, m.joules_per_flop,
                     k_not_negative);
            t.number({"joules_per_byte", "J", "per byte of inputs and weights read or written"}, m.joules_per_byte,
                     k_not_negative);
          });
}

namespace {

void use_spectrum(const theory::PowerSpectrum& law, ModeProblem& p) {
  if (law.modes < 1) return;  // already reported
  theory::BinnedSpectrum s = theory::log_binned_spectrum(law);
  p.lambda = std::move(s.lambda);
  p.initial = std::move(s.initial);
  p.multiplicity = std::move(s.multiplicity);
}

void bind_modes(Binder& t, ModeProblem& p) {
  t.note(
      "`lambda`, `initial` and `multiplicity` are lists, or power laws `{power = p, scale = a}`: "
      "a * j^p for j = 1 ... count (scale is 1 if absent).");
  auto count = static_cast<std::int64_t>(p.lambda.size());
  t.integer({"count", "1", "number of modes; needed for power laws"}, count, Range{1, 1000000});
  theory::PowerSpectrum law;
  const bool binned = t.spectrum({"spectrum", "1",
                                  "instead of lists: lambda_j = j^-beta, lambda_j m_j(0) = a j^-(s beta + 1), in "
                                  "logarithmic bins"},
                                 law);
  t.power_list({"lambda", "1", "eigenvalues of the feature covariance", !binned}, p.lambda, count, k_positive);
  t.power_list({"initial", "1", "m_j(0), mean squared error of each mode", !binned}, p.initial, count, k_not_negative);
  t.power_list({"multiplicity", "1", "n_j, absent: 1 each"}, p.multiplicity, count, k_positive);
  if (binned) use_spectrum(law, p);
}

void bind_price(Binder& t, ModeProblem& p) {
  t.number({"time", "J/step", "e_0, upkeep"}, p.price_time, k_not_negative);
  t.number({"screening", "J/step", "c_s, charged when data are ranked"}, p.price_screening, k_not_negative);
  t.number({"sample", "J/step", "c_b, learning from all samples of the batch"}, p.price_sample, k_not_negative);
  t.number({"write", "J/step", "c_w, writing all weights"}, p.price_write, k_not_negative);
  t.number({"path", "J", "e_1, per unit of path length sum_j n_j E|dw_j|"}, p.price_path, k_not_negative);
  t.numbers({"plasticity_exponents", "1", "alpha of further prices of plasticity M_alpha = sum_j n_j E|dw_j|^alpha"},
            p.plasticity_exponents, Range{0, 2});
  t.numbers({"plasticity", "J", "e_alpha per unit of M_alpha, one per exponent"}, p.plasticity_prices, k_not_negative);
  t.number({"maintenance", "J/step", "e_m, per unit of |transient weight|, of synaptic caching at its best threshold"},
           p.price_maintenance, k_not_negative);
  t.number({"consolidation", "J", "e_c, per unit of |weight| consolidated; goes with maintenance"},
           p.price_consolidation, k_not_negative);
}

void bind_data_fraction(Binder& t, ModeProblem& p) {
  bind_fraction(t, p.data_rule, p.data_bounds);
  if (t.capture({"capture", "", "share of the signal in the largest fraction, for rule ranked"}, p.data_signal))
    p.data_noise = p.data_signal;
  t.capture({"noise_capture", "", "share of the noise; absent: like capture"}, p.data_noise);
  t.label_noise({"label_noise", "",
                 "instead of the two: residuals of which the fraction q has k times the variance of the others"},
                p.data_signal, p.data_noise);
  t.number({"full_data_start", "1", "share of the horizon at its begin in which all samples are learned"},
           p.full_data_start, k_unit);
  t.number({"full_data_end", "1", "the same at its end"}, p.full_data_end, k_unit);
}

}  // namespace

void bind(Binder& b, ModeProblem& p) {
  b.table({"problem", "", "horizon, noise and what loss is worth"}, [&](Binder& t) {
    t.text({"title", "", "one line that names the problem"}, p.title);
    t.number({"batch", "samples", "B, samples per step"}, p.batch, k_positive);
    t.number({"noise_variance", "1", "sigma^2 of the labels"}, p.noise_variance, k_not_negative);
    t.number({"noise_scale", "1", "nu, factor of the gradient noise; 1 for Gaussian features"}, p.noise_scale,
             k_not_negative);
    t.number({"horizon", "steps", "T", true}, p.horizon, k_positive);
    t.number({"horizon_epochs", "epochs", "the same in passes over a training set, 0: not tied to one"},
             p.horizon_epochs, k_not_negative);
    t.integer({"intervals", "1", "of constant controls, equally long"}, p.intervals, Range{1, 100000});
    t.number({"terminal_weight", "J", "per unit of loss at the end"}, p.terminal_weight, k_not_negative);
    t.number({"running_weight", "J/step", "per unit of loss along the way"}, p.running_weight, k_not_negative);
    t.number({"loss_offset", "1", "irreducible loss, added in reports only"}, p.loss_offset, k_any);
    t.flag({"rebatched", "", "kept samples are collected into full batches: writes cost write * kappa * rho"},
           p.rebatched);
  });
  b.table({"modes", "", "the error spectrum"}, [&](Binder& t) { bind_modes(t, p); });
  b.table({"price", "", "energy prices of one step"}, [&](Binder& t) { bind_price(t, p); });
  b.table({"data_fraction", "", "which samples are learned: rho(t)"}, [&](Binder& t) { bind_data_fraction(t, p); });
  b.table({"weight_fraction", "", "which weights are written: kappa(t)"}, [&](Binder& t) {
    bind_fraction(t, p.weight_rule, p.weight_bounds);
    t.capture({"capture", "", "share of the update in the largest fraction, for rule ranked"}, p.weight_capture);
    t.flag({"accumulated", "", "what is not written stays in an accumulator: the path follows accumulated_path"},
           p.accumulated);
    t.capture(
        {"accumulated_path", "", "path length of accumulated writes of the fraction, relative to writing everything"},
        p.accumulated_path);
  });
  b.table({"learning_rate", "", "bounds of the learning rate: eta(t)"}, [&](Binder& t) {
    t.number({"lower", "1", "smallest learning rate"}, p.rate_bounds.lower, k_not_negative);
    t.number({"upper", "1", "largest learning rate; equal to lower: fixed"}, p.rate_bounds.upper, k_positive);
  });
  b.table(
      {"solver", "", "the discrete problem that is solved; leave it away for the converged optimum"}, [&](Binder& t) {
        theory::Discretisation& d = p.discretisation;
        t.choice({"scheme", "",
                  "integrator; rk4: classical Runge-Kutta in m with the trapezoidal rule for the running loss; "
                  "recursion: the exact discrete steps, no continuous limit"},
                 d.scheme, {"exponential", "rk4", "recursion"});
        t.integer({"steps", "1", "steps per interval, an even number; 0: refined as needed (exponential only)"},
                  d.steps, Range{0, 65536});
        t.integer(
            {"rest_intervals", "1", "last intervals with both fractions at their lower bounds; -1: of the best length"},
            d.rest_intervals, Range{-1, 100000});
      });
}

void bind(Binder& b, PlanRequest& r) {
  b.table({"plan", "", "a plan made from a calibration"}, [&](Binder& t) {
    t.path({"calibration", "", "EOS-1 file of eos calibrate", true}, r.calibration);
    t.number({"epochs", "epochs", "horizon in passes over the training set"}, r.epochs, k_positive);
    t.number({"target_loss", "1", "predicted validation loss to reach; the terminal weight follows. 0: not given"},
             r.target_loss, k_not_negative);
    t.number({"terminal_weight", "J", "per unit of loss, when there is no target_loss"}, r.terminal_weight,
             k_not_negative);
    t.integer({"intervals", "1", "of constant controls"}, r.intervals, Range{1, 100000});
    t.flag({"accumulate", "", "unwritten updates stay in an accumulator"}, r.accumulate);
    t.flag({"select_data", "", "false: every sample is learned"}, r.select_data);
    t.flag({"select_weights", "", "false: every weight is written"}, r.select_weights);
    t.flag({"free_horizon", "", "choose the horizon of least energy up to epochs; needs target_loss"}, r.free_horizon);
  });
}

}  // namespace eos::io
