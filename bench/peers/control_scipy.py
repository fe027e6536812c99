"""Van der Pol's oscillator by SciPy's solve_bvp on the two-point problem: the problem of bench/solvers/control_bench.cpp.

Prints one row per tolerance: time in milliseconds, nodes, J. Says so when SciPy cannot be imported.
"""

import sys
import time

try:
    import numpy as np
    from scipy.integrate import solve_bvp
except ImportError:
    print("control_scipy: SciPy is not installed")
    sys.exit(0)


def rates(t, y):
    x1, x2, p1, p2, _ = y
    u = np.clip(-p1 / 2, -0.3, 1)
    return np.vstack([(1 - x2**2) * x1 - x2 + u, x1, -(2 * x1 + p1 * (1 - x2**2) + p2),
                      -(2 * x2 - p1 * (2 * x1 * x2 + 1)), x1**2 + x2**2 + u**2])


def ends(a, b):
    return np.array([a[0], a[1] - 1, b[2], b[3], a[4]])


print(f"{'tolerance':>9} {'time/ms':>10} {'nodes':>7} {'status':>6} {'J':>16}")
for tolerance in (1e-4, 1e-6, 1e-8):
    t = np.linspace(0, 5, 101)
    guess = np.zeros((5, t.size))
    guess[1] = 1
    start = time.perf_counter()
    s = solve_bvp(rates, ends, t, guess, tol=tolerance, max_nodes=100000)
    print(f"{tolerance:9.0e} {1e3 * (time.perf_counter() - start):10.1f} {s.x.size:7d} {s.status:6d} {s.y[4, -1]:16.12f}")
