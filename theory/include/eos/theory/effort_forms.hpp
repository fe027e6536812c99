// Choose the learning rate when effort costs 1/2 c eta^2: closed forms and quadratures along gradient flow.
//
// Statements (tau = int eta dt is the clock of gradient flow).
//   QuadraticEffort   de/dt = -eta lambda e, 1/2 c int eta^2 + 1/2 s lambda e(T)^2: eta constant,
//                     eta = W(2 s lambda^3 T e_0^2 / c)/(2 lambda T), W the function of Lambert.
//   LinearGoalEffort  de/dt = -u e, e(T) + 1/2 c int u^2: u constant, u = W(e_0 T/c)/T. As c varies this is the whole
//                     Pareto front (energy u^2 T/2, error e_0 exp(-u T)).
//   EffortMode        int_0^T (L + 1/2 c eta^2) dt, L = 1/2 lambda e^2, no end term: e = e_T / cos(k e_T (T-t)),
//                     k = lambda^(3/2)/sqrt(c), e_T = e_0 cos(k e_T T); T infinite: e = e_0/(1 + k e_0 t) and the value
//                     is V(e) = e sqrt(c/lambda).
//   effort_schedule   int_0^T e^(-r t) (L + 1/2 c eta^2) dt for any loss L(tau) that falls along gradient flow:
//                     1/2 c eta(t)^2 = int_t^T e^(-2r(s-t)) (-dL/ds) ds, for r = 0 eta = sqrt(2 (L(t) - L(T))/c);
//                     effort_value is the limit V = sqrt(2c) int_0^inf sqrt(L) dtau of r = 0, T infinite.
//   DeepLinearMode    da/dt = 2 eta a (s - a) from a_0 to a_f: tau = ln[a_f (s - a_0)/(a_0 (s - a_f))]/(2 s); at price
//                     1/2 c eta^2 and time T the rate is tau/T and the cost c tau^2/(2 T).
// Source: minimum principle, derived in docs/theory.md; the effort problem is that of Carrasco-Davis, Masis & Saxe
// (2023) and Njaradi et al. (2026); deep modes: Saxe, McClelland & Ganguli, ICLR 2014.
// Guarantees: pure functions; each throws Error E104 or E107 naming the parameter that is out of range.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace eos::theory {

struct QuadraticEffort {
  double lambda = 1;           ///< > 0
  double terminal_weight = 1;  ///< s > 0
  double price = 1;            ///< c > 0
  double initial = 1;          ///< e_0
  double horizon = 1;          ///< T > 0

  void check() const;
  double rate() const;              ///< eta, the same at all times
  double error(double time) const;  ///< e(t)
  double cost() const;
};

struct LinearGoalEffort {
  double price = 1;    ///< c > 0
  double initial = 1;  ///< e_0 >= 0
  double horizon = 1;  ///< T > 0

  void check() const;
  double rate() const;
  double error(double time) const;
  double energy() const;  ///< 1/2 int u^2 dt, without the price
  double cost() const;    ///< e(T) + c energy
};

struct EffortMode {
  double lambda = 1;                                         ///< > 0
  double price = 1;                                          ///< c > 0
  double initial = 1;                                        ///< e_0 >= 0
  double horizon = std::numeric_limits<double>::infinity();  ///< T > 0

  void check() const;
  double final_error() const;       ///< e_T, 0 for an infinite horizon
  double error(double time) const;  ///< e(t)
  double rate(double time) const;   ///< eta(t)
  double cost() const;
};

/// A loss along gradient flow, tau >= 0: L(tau) >= 0 falls to 0 or its least value, slope = dL/dtau < 0, convex.
struct LossCurve {
  std::function<double(double)> loss, slope;
};
/// L = 1/2 sum_j n_j lambda_j e_j^2 exp(-2 lambda_j tau). lambda > 0, error >= 0, multiplicity > 0 or empty.
LossCurve spectrum_curve(std::vector<double> lambda, std::vector<double> error, std::vector<double> multiplicity = {});
/// The flow dw/dtau = -grad L(w) of a loss given by its value and gradient (returned, written), from w until `span`;
/// beyond it L follows its last slope exponentially. Fourth-order interpolation between `nodes` points.
LossCurve flow_curve(const std::function<double(std::span<const double> w, std::span<double> gradient)>& loss,
                     std::vector<double> start, double span, int nodes = 2000);

struct EffortProblem {
  double price = 1;     ///< c > 0
  double discount = 0;  ///< r >= 0
  double horizon = 1;   ///< T > 0; infinite only with a discount (see effort_value for r = 0)
};
struct EffortSchedule {
  std::vector<double> clock;  ///< [times] tau(t)
  std::vector<double> rate;   ///< [times] eta(t)
  std::vector<double> loss;   ///< [times] L(t)
  double final_clock = 0;     ///< tau(T)
  double cost = 0;            ///< int e^(-r t) (L + 1/2 c eta^2) dt
};
/// Optimal rates at the given increasing times in [0, T]. Relative accuracy about 1e-10. An infinite horizon is cut
/// where e^(-r t) has fallen by 1e-17 since the last of the times.
EffortSchedule effort_schedule(const LossCurve& curve, const EffortProblem& problem, std::span<const double> times);
/// V = sqrt(2 c) int_0^inf sqrt(L) dtau: what an infinite, undiscounted future costs.
double effort_value(const LossCurve& curve, double price);

struct DeepLinearMode {
  double strength = 1;   ///< s > 0, the singular value to be learned
  double initial = 0.1;  ///< a_0 in (0, s)
  double goal = 0.9;     ///< a_f in [a_0, s)
  double price = 1;      ///< c > 0
  double horizon = 1;    ///< T > 0

  void check() const;
  double clock() const;                   ///< tau
  double rate() const;                    ///< eta = tau/T
  double strength_at(double time) const;  ///< a(t)
  double cost() const;                    ///< c tau^2/(2 T)
};

}  // namespace eos::theory
