// Optimal-control problems with known optima, built in C++. Values are closed forms, or come from shooting in high
// precision with residuals below 1e-12.
#pragma once

#include <cmath>

#include "eos/theory/control_problem.hpp"

namespace eos::gold {

using theory::ControlProblem;
using theory::Expr;
using theory::Interval;

inline ControlProblem double_integrator(double x0, double v0, double umax) {
  ControlProblem p;
  p.add_state("x", Interval::point(x0));
  p.add_state("v", Interval::point(v0));
  p.add_control("u", {-umax, umax});
  return p;
}
inline void integrate_twice(ControlProblem& p) { p.states[0].dynamics = p.x(1), p.states[1].dynamics = p.u(0); }

/// P1: rest to rest, least effort; J = 6, u = 6 - 12 t.
inline ControlProblem p1() {
  ControlProblem p = double_integrator(0, 0, theory::k_infinity);
  p.states[0].final = Interval::point(1), p.states[1].final = Interval::point(0);
  p.add_cost("effort", 0.5 * p.u(0) * p.u(0));
  integrate_twice(p);
  return p;
}
/// P2: least time to the origin; from (1, 0): J = 2, switch at 1.
inline ControlProblem p2(double x0 = 1, double v0 = 0) {
  ControlProblem p = double_integrator(x0, v0, 1);
  p.states[0].final = p.states[1].final = Interval::point(0);
  p.horizon.free = true;
  p.add_cost("time", 1);
  integrate_twice(p);
  return p;
}
/// P3 (Bryson, Denham & Dreyfus 1963): x <= l; J = 4 / (9 l) for l <= 1/6, contact from 3 l to 1 - 3 l.
inline ControlProblem p3(double l = 1.0 / 9) {
  ControlProblem p = double_integrator(0, 1, theory::k_infinity);
  p.states[0].final = Interval::point(0), p.states[1].final = Interval::point(-1);
  p.states[0].bounds.upper = l;
  p.add_cost("effort", 0.5 * p.u(0) * p.u(0));
  integrate_twice(p);
  return p;
}
/// P4: van der Pol, -0.3 <= u <= 1; J = 2.86726104522167.
inline ControlProblem p4() {
  ControlProblem p;
  p.add_state("x1", Interval::point(0));
  p.add_state("x2", Interval::point(1));
  p.add_control("u", {-0.3, 1});
  const Expr a = p.x(0), b = p.x(1), u = p.u(0);
  p.add_cost("energy", a * a + b * b + u * u);
  p.states[0].dynamics = (1 - b * b) * a - b + u;
  p.states[1].dynamics = a;
  p.horizon.value = 5;
  return p;
}
/// P5: Rayleigh; J = 29.3760796559429.
inline ControlProblem p5() {
  ControlProblem p;
  p.add_state("x1", Interval::point(-5));
  p.add_state("x2", Interval::point(-5));
  p.add_control("u", {});
  const Expr a = p.x(0), b = p.x(1), u = p.u(0);
  p.add_cost("energy", a * a + u * u);
  p.states[0].dynamics = b;
  p.states[1].dynamics = -a + b * (1.4 - 0.14 * b * b) + 4 * u;
  p.horizon.value = 2.5;
  return p;
}
/// P6 (Goddard 1919; data of COPS 3.0, Dolan, More & Munson 2004): max r(T) = 1.01283691831749.
inline ControlProblem p6() {
  ControlProblem p;
  p.add_state("r", Interval::point(1));
  p.add_state("v", Interval::point(0));
  p.add_state("m", Interval::point(1), Interval::point(0.6));
  p.add_control("u", {0, 1});
  const Expr r = p.x(0), v = p.x(1), m = p.x(2), u = p.u(0);
  p.add_cost("height", 0, p.x_final(0));
  p.states[0].dynamics = v;
  p.states[1].dynamics = -310 * v * v * exp(-500 * (r - 1)) / m - 1 / (r * r) + 3.5 * u / m;
  p.states[2].dynamics = -7 * u;
  p.horizon = {0.2, true, {0.05, 1}};
  p.maximise = true;
  return p;
}
/// P7: brachistochrone, 10 across and 5 down, g = 9.80665; J = 1.80160312245308.
inline ControlProblem p7() {
  ControlProblem p;
  p.add_state("x", Interval::point(0), Interval::point(10));
  p.add_state("y", Interval::point(0), Interval::point(5));
  p.add_state("v", Interval::point(0));
  p.add_control("theta", {0, std::acos(-1.0)});
  p.add_cost("time", 1);
  p.states[0].dynamics = p.x(2) * sin(p.u(0));
  p.states[1].dynamics = p.x(2) * cos(p.u(0));
  p.states[2].dynamics = 9.80665 * cos(p.u(0));
  p.controls[0].guess = 1;
  p.horizon = {2, true, {0.5, 10}};
  return p;
}
/// P8: bang, then singular (Luus 2000); J = 0.753983860575889, junction at 1.41376408763006.
inline ControlProblem p8() {
  ControlProblem p = double_integrator(0, 1, 1);
  p.add_cost("distance", p.x(0) * p.x(0) + p.x(1) * p.x(1));
  integrate_twice(p);
  p.horizon.value = 5;
  return p;
}
/// P9 (Bressan): max x3(T) = T^3 / 18, u = -1 until T/3, then 1/2.
inline ControlProblem p9() {
  ControlProblem p;
  for (const char* name : {"x1", "x2", "x3"}) p.add_state(name, Interval::point(0));
  p.add_control("u", {-1, 1});
  p.add_cost("gain", 0, p.x_final(2));
  p.states[0].dynamics = p.u(0);
  p.states[1].dynamics = -p.x(0);
  p.states[2].dynamics = p.x(1) - p.x(0) * p.x(0);
  p.horizon.value = 10;
  p.maximise = true;
  return p;
}
/// P10 (Aly & Chan 1973): totally singular, u = -sin t, J = 0.
inline ControlProblem p10() {
  ControlProblem p;
  p.add_state("x1", Interval::point(0));
  p.add_state("x2", Interval::point(1));
  p.add_state("x3", Interval::point(0));
  p.add_control("u", {-1, 1});
  p.add_cost("end", 0, p.x_final(2));
  p.states[0].dynamics = p.x(1);
  p.states[1].dynamics = p.u(0);
  p.states[2].dynamics = 0.5 * (p.x(1) * p.x(1) - p.x(0) * p.x(0));
  p.horizon.value = std::acos(-1.0) / 2;
  return p;
}
/// P11 (Gunn & Thomas 1965): J = -0.0480556858608775, switches 0.136299034594555 and 0.725230107591655.
inline ControlProblem p11() {
  ControlProblem p;
  p.add_state("x1", Interval::point(1));
  p.add_state("x2", Interval::point(0));
  p.add_control("u", {0, 1});
  const Expr a = p.x(0), b = p.x(1), u = p.u(0);
  p.add_cost("rest", 0, p.x_final(0) + p.x_final(1) - 1);
  p.states[0].dynamics = u * (10 * b - a);
  p.states[1].dynamics = u * (a - 10 * b) - (1 - u) * b;
  return p;
}
/// P12: rest to rest over d in time T, |u| <= 1, min of int |u|; J = T - sqrt(T^2 - 4 d).
inline ControlProblem p12(double d = 1, double horizon = 3) {
  ControlProblem p = double_integrator(0, 0, 1);
  p.states[0].final = Interval::point(d), p.states[1].final = Interval::point(0);
  p.add_cost("fuel", abs(p.u(0)));
  integrate_twice(p);
  p.horizon.value = horizon;
  return p;
}
/// P13: hyper-sensitive; J = 1.33080690494300 for T -> infinity.
inline ControlProblem p13(double horizon = 1e4) {
  ControlProblem p;
  p.add_state("x", Interval::point(1.5), Interval::point(1));
  p.add_control("u", {});
  p.add_cost("energy", 0.5 * (p.x(0) * p.x(0) + p.u(0) * p.u(0)));
  p.states[0].dynamics = p.u(0) - p.x(0) * p.x(0) * p.x(0);
  p.horizon.value = horizon;
  return p;
}
/// P14 (Fuller 1963): chattering; V(0, 1) = 0.268393830568911, V(1, 0) = 0.764017547725633.
inline ControlProblem p14(double x0 = 0, double v0 = 1, double horizon = 5) {
  ControlProblem p = double_integrator(x0, v0, 1);
  p.states[0].final = p.states[1].final = Interval::point(0);
  p.add_cost("distance", p.x(0) * p.x(0));
  integrate_twice(p);
  p.horizon.value = horizon;
  return p;
}
/// P15: turnpike; J = 3/8, switches 1 and 3/2.
inline ControlProblem p15() {
  ControlProblem p;
  p.add_state("x", Interval::point(1), Interval::point(0.5));
  p.add_control("u", {-1, 1});
  p.add_cost("distance", p.x(0) * p.x(0));
  p.states[0].dynamics = p.u(0);
  p.horizon.value = 2;
  return p;
}
/// P16 (Locatelli 2017, section 11.2): J = 10/3, T = 4, switches 1 and 3.
inline ControlProblem p16() {
  ControlProblem p = double_integrator(2, 0, 1);
  p.states[0].final = Interval::point(5), p.states[1].final = Interval::point(0);
  p.add_cost("price", 0.5 * (1 + p.x(1) * p.x(1)));
  integrate_twice(p);
  p.horizon = {3, true, {0.5, 50}};
  return p;
}

}  // namespace eos::gold
