// Optimal-control problems with known optima, stated in C++.
#pragma once

#include <cmath>

#include "eos/theory/control_problem.hpp"

namespace gold {

using eos::theory::ControlProblem;
using eos::theory::Expr;
using eos::theory::Interval;
using eos::theory::k_infinity;

inline Interval point(double x) { return Interval::point(x); }

/// x'' = u between two states; the cost is added by the caller.
inline ControlProblem double_integrator(double x0, double v0, Interval x1, Interval v1, double horizon, Interval u) {
  ControlProblem p;
  p.add_state("x", point(x0), x1);
  p.add_state("v", point(v0), v1);
  p.add_control("u", u);
  p.states[0].dynamics = p.x(1);
  p.states[1].dynamics = p.u(0);
  p.horizon.value = horizon;
  return p;
}

/// Rest to rest with least control energy: J = 6, u = 6 - 12 t.
inline ControlProblem energy() {
  ControlProblem p = double_integrator(0, 0, point(1), point(0), 1, {});
  p.add_cost("energy", 0.5 * p.u(0) * p.u(0));
  return p;
}
/// Least time to the origin: T = v + sqrt(4 x + 2 v^2) for x > -v |v| / 2.
inline ControlProblem minimum_time(double x0 = 1, double v0 = 0) {
  ControlProblem p = double_integrator(x0, v0, point(0), point(0), 1, {-1, 1});
  p.horizon.free = true;
  p.add_cost("time", 1);
  return p;
}
/// Bryson & Ho 1975, §3.11: J = 4 / (9 l) for l <= 1/6.
inline ControlProblem bryson_denham(double l = 1.0 / 9) {
  ControlProblem p = double_integrator(0, 1, point(0), point(-1), 1, {});
  p.states[0].bounds.upper = l;
  p.add_cost("energy", 0.5 * p.u(0) * p.u(0));
  return p;
}
/// Van der Pol oscillator (Vassiliadis 1993).
inline ControlProblem van_der_pol(double weight = 1) {
  ControlProblem p;
  p.add_state("x1", point(0));
  p.add_state("x2", point(1));
  p.add_control("u", {-0.3, 1});
  p.states[0].dynamics = (1 - p.x(1) * p.x(1)) * p.x(0) - p.x(1) + p.u(0);
  p.states[1].dynamics = p.x(0);
  p.horizon.value = 5;
  p.add_cost("deviation", p.x(0) * p.x(0) + p.x(1) * p.x(1));
  p.add_cost("energy", p.u(0) * p.u(0), 0, weight);
  return p;
}
inline ControlProblem rayleigh() {
  ControlProblem p;
  p.add_state("x1", point(-5));
  p.add_state("x2", point(-5));
  p.add_control("u", {});
  p.states[0].dynamics = p.x(1);
  p.states[1].dynamics = -p.x(0) + p.x(1) * (1.4 - 0.14 * p.x(1) * p.x(1)) + 4 * p.u(0);
  p.horizon.value = 2.5;
  p.add_cost("cost", p.x(0) * p.x(0) + p.u(0) * p.u(0));
  return p;
}
/// Goddard's rocket, data of COPS 3 (Dolan, More & Munson 2004).
inline ControlProblem goddard() {
  ControlProblem p;
  p.add_state("r", point(1), {}, {1, k_infinity});
  p.add_state("v", point(0), {}, {0, k_infinity});
  p.add_state("m", point(1), point(0.6), {0.6, 1});
  p.add_control("u", {0, 1});
  const Expr r = p.x(0), v = p.x(1), m = p.x(2), u = p.u(0);
  p.states[0].dynamics = v;
  p.states[1].dynamics = -310 * v * v * exp(-500 * (r - 1)) / m - 1 / (r * r) + 3.5 * u / m;
  p.states[2].dynamics = -7 * u;
  p.horizon = {0.2, true, {0.01, 10}};
  p.maximise = true;
  p.add_cost("altitude", 0, p.x_final(0));
  return p;
}
/// Least time down a frictionless wire: x across, y down.
inline ControlProblem brachistochrone() {
  ControlProblem p;
  p.add_state("x", point(0), point(10));
  p.add_state("y", point(0), point(5));
  p.add_state("v", point(0));
  p.add_control("angle", {0, 3.1});
  const Expr v = p.x(2), a = p.u(0);
  p.states[0].dynamics = v * sin(a);
  p.states[1].dynamics = v * cos(a);
  p.states[2].dynamics = 9.80665 * cos(a);
  p.horizon = {2, true, {0.1, 100}};
  p.add_cost("time", 1);
  return p;
}
/// Luus 2000: bang, then singular.
inline ControlProblem bang_singular() {
  ControlProblem p = double_integrator(0, 1, {}, {}, 5, {-1, 1});
  p.add_cost("cost", p.x(0) * p.x(0) + p.x(1) * p.x(1));
  return p;
}
/// Bressan: J = T^3 / 18.
inline ControlProblem bressan(double horizon = 10) {
  ControlProblem p;
  for (const char* name : {"x1", "x2", "x3"}) p.add_state(name, point(0));
  p.add_control("u", {-1, 1});
  p.states[0].dynamics = p.u(0);
  p.states[1].dynamics = -p.x(0);
  p.states[2].dynamics = p.x(1) - p.x(0) * p.x(0);
  p.horizon.value = horizon;
  p.maximise = true;
  p.add_cost("gain", 0, p.x_final(2));
  return p;
}
/// Aly & Chan 1973: totally singular, J = 0.
inline ControlProblem aly_chan() {
  ControlProblem p;
  p.add_state("x1", point(0));
  p.add_state("x2", point(1));
  p.add_state("x3", point(0));
  p.add_control("u", {-1, 1});
  p.states[0].dynamics = p.x(1);
  p.states[1].dynamics = p.u(0);
  p.states[2].dynamics = 0.5 * (p.x(1) * p.x(1) - p.x(0) * p.x(0));
  p.horizon.value = std::acos(-1.0) / 2;
  p.add_cost("cost", 0, p.x_final(2));
  return p;
}
/// Gunn & Thomas 1965.
inline ControlProblem catalyst() {
  ControlProblem p;
  p.add_state("x1", point(1));
  p.add_state("x2", point(0));
  p.add_control("u", {0, 1});
  const Expr a = p.x(0), b = p.x(1), u = p.u(0);
  p.states[0].dynamics = u * (10 * b - a);
  p.states[1].dynamics = u * (a - 10 * b) - (1 - u) * b;
  p.horizon.value = 1;
  p.add_cost("remaining", 0, p.x_final(0) + p.x_final(1) - 1);
  return p;
}
/// Rest to rest with least fuel: J = T - sqrt(T^2 - 4 d).
inline ControlProblem fuel(double distance = 1, double horizon = 3) {
  ControlProblem p = double_integrator(0, 0, point(distance), point(0), horizon, {-1, 1});
  p.add_cost("fuel", abs(p.u(0)));
  return p;
}
inline ControlProblem hyper_sensitive(double horizon = 1e4) {
  ControlProblem p;
  p.add_state("x", point(1.5), point(1));
  p.add_control("u", {});
  p.states[0].dynamics = -p.x(0) * p.x(0) * p.x(0) + p.u(0);
  p.horizon.value = horizon;
  p.add_cost("cost", 0.5 * (p.x(0) * p.x(0) + p.u(0) * p.u(0)));
  return p;
}
/// Turnpike: J = 3/8.
inline ControlProblem turnpike() {
  ControlProblem p;
  p.add_state("x", point(1), point(0.5));
  p.add_control("u", {-1, 1});
  p.states[0].dynamics = p.u(0);
  p.horizon.value = 2;
  p.add_cost("cost", p.x(0) * p.x(0));
  return p;
}
/// Locatelli 2017, §11.2: singular arc with free time, J = 10/3.
inline ControlProblem singular_free_time() {
  ControlProblem p = double_integrator(2, 0, point(5), point(0), 1, {-1, 1});
  p.horizon.free = true;
  p.horizon.value = 3;
  p.add_cost("cost", 0.5 * (1 + p.x(1) * p.x(1)));
  return p;
}
/// Fuller 1961: chattering. x(0) to the origin.
inline ControlProblem fuller(double x0 = 0, double v0 = 1, double horizon = 3.5) {
  ControlProblem p = double_integrator(x0, v0, point(0), point(0), horizon, {-1, 1});
  p.add_cost("cost", p.x(0) * p.x(0));
  return p;
}

}  // namespace gold
