"""Van der Pol's oscillator by CasADi and Ipopt (trapezoid): the problem of bench/solvers/control_bench.cpp.

Prints one row per mesh: set-up and solve time in milliseconds, iterations, J. Says so when CasADi cannot be imported.
"""

import sys
import time

try:
    import casadi as ca
except ImportError:
    print("control_casadi: CasADi is not installed")
    sys.exit(0)


def build(n, weight):
    h, x, u = 5 / n, ca.SX.sym("x", 2, n + 1), ca.SX.sym("u", n + 1)

    def f(k):
        return ca.vertcat((1 - x[1, k] ** 2) * x[0, k] - x[1, k] + u[k], x[0, k])

    def cost(k):
        return x[0, k] ** 2 + x[1, k] ** 2 + weight * u[k] ** 2

    g = [x[:, 0] - ca.DM([0, 1])]
    g += [x[:, k + 1] - x[:, k] - h / 2 * (f(k) + f(k + 1)) for k in range(n)]
    j = sum(h / 2 * (cost(k) + cost(k + 1)) for k in range(n))
    variables = ca.vertcat(ca.vec(x), u)
    options = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-8}
    solver = ca.nlpsol("s", "ipopt", {"x": variables, "p": weight, "f": j, "g": ca.vertcat(*g)}, options)
    lower = [-ca.inf] * (2 * (n + 1)) + [-0.3] * (n + 1)
    upper = [ca.inf] * (2 * (n + 1)) + [1.0] * (n + 1)
    guess = [0.0, 1.0] * (n + 1) + [0.35] * (n + 1)
    return solver, dict(lbx=lower, ubx=upper, lbg=0, ubg=0, x0=guess)


print(f"{'intervals':>9} {'set-up/ms':>10} {'solve/ms':>10} {'iterations':>10} {'J':>16}")
for n in (100, 1000):
    start = time.perf_counter()
    solver, arguments = build(n, ca.SX.sym("w"))
    ready = time.perf_counter()
    result = solver(p=1, **arguments)
    done = time.perf_counter()
    print(f"{n:9d} {1e3 * (ready - start):10.1f} {1e3 * (done - ready):10.1f} "
          f"{solver.stats()['iter_count']:10d} {float(result['f']):16.12f}")
