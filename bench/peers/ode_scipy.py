"""The ten-dimensional learning curve of bench/solvers/ode_bench.cpp with SciPy, one thread. Usage: python3 ode_scipy.py"""
import time

import numpy as np
from scipy.integrate import solve_ivp

MODES, ALPHA, BETA, NOISE, END = 10, 0.8, 0.02, 1.0, 40.0
index = np.arange(1, MODES + 1)
spectrum, initial = index**-1.5, index**-0.5


def rate(_, m):
    return spectrum * (BETA * (spectrum @ m + NOISE) - ALPHA * m)


def best(method, repeats=30):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        solution = solve_ivp(rate, (0, END), initial, method=method, rtol=1e-8, atol=1e-8)
        times.append(time.perf_counter() - begin)
    return min(times), solution


for method in ("RK45", "DOP853", "LSODA"):
    seconds, solution = best(method)
    print(f"{method:8s} {1e6 * seconds:10.1f} us  {solution.nfev:5d} evaluations  m_10 = {solution.y[-1, -1]:.10f}")
