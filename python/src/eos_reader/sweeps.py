"""Analysis of sweeps: runs as a tidy frame, energy at equal accuracy over horizons, fronts.

    sweep = eos_reader.open("sweep.h5")                     # or the folder of the sweep
    eos_reader.runs(sweep)                                  # one row a run, last value of what matters
    eos_reader.energy_at_target(sweep, 0.80, by="method")   # J, means over seeds
    eos_reader.pareto_front(sweep, by=["method", "epochs"])

Methods are compared at the end of their runs, over several horizons. A run that ends at 8 epochs is not at its best at 4: its
learning rate, and whatever else its schedule plans, was made for 8.
"""

from __future__ import annotations

from typing import Optional, Sequence, Union

import numpy as np
import pandas as pd
import xarray as xr

from .bootstrap import Interval, bootstrap_seeds
from .pricing import Prices, energy

_HEADLINES = ("test_accuracy", "validation_accuracy", "test_loss", "energy", "effective_epochs", "cost_ratio", "objective",
              "terminal_loss", "energy_total", "horizon")
Names = Union[str, Sequence[str]]


def axes(sweep: xr.Dataset) -> list[str]:
    """Names of the axes of a sweep, in the order of its file."""
    return str(sweep.attrs.get("sweep_axes", "")).split()


def last(sweep: xr.Dataset, variable: Union[str, xr.DataArray]) -> xr.DataArray:
    """Value at the end of each run, however long it was; over `run`, with the coordinates of the runs.

    `variable`: a name, or an array over (run, dim) such as that of `energy`. Same units. NaN where a run has no rows.
    """
    values = sweep[variable] if isinstance(variable, str) else variable
    if values.dims == ("run",):
        return values
    if len(values.dims) != 2 or values.dims[0] != "run":
        raise ValueError(f"{values.name} has dimensions {values.dims}; the end of a run is that of (run, dim)")
    dim = str(values.dims[1])
    count = sweep[f"{dim}_count"].reset_coords(drop=True)
    return values.isel({dim: (count - 1).clip(min=0)}).where(count > 0).drop_vars(dim, errors="ignore").assign_attrs(values.attrs)


def runs(sweep: xr.Dataset, *variables: str, prices: Optional[Prices] = None) -> pd.DataFrame:
    """Tidy frame, one row a run: axes, seed, design_index, run_id, run_status, and `variables` at the end of the run.

    Without names the usual ones: accuracies, loss, `energy` (J), effective epochs, cost. With `prices` the energy is that
    under another price list. Units are those of the sweep's variables (``frame.attrs["units"]``).
    """
    names = list(variables) or [name for name in _HEADLINES if name in sweep]
    told = [name for name in [*axes(sweep), "seed", "design_index", "run_id", "run_status"] if name in sweep.variables]
    frame = pd.DataFrame({name: sweep[name].values for name in told}, index=pd.Index(sweep["run"].values, name="run"))
    units = {}
    for name in names:
        values = energy(sweep, prices) if name == "energy" and prices is not None else sweep[name]
        frame[name] = last(sweep, values).values
        units[name] = str(values.attrs.get("units", "1"))
    frame.attrs["units"] = units
    return frame


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def by_seed(sweep: xr.Dataset, by: Names, *variables: str, prices: Optional[Prices] = None) -> xr.Dataset:
    """The ends of the runs as arrays over the axes `by` and `seed`, NaN where there is no run; paired by seed as they are.

    ``by_seed(sweep, "method").energy.sel(method="dbpd")`` is a vector over seeds for `paired_bootstrap`. Raises ValueError
    when more than one run has the same values: then an axis is missing in `by`, or a selection on the sweep.
    """
    keys = [*_listed(by), "seed"]
    frame = runs(sweep, *variables, prices=prices)
    unknown = [key for key in keys if key not in frame]
    if unknown:
        raise KeyError(f"{unknown} are no axes of this sweep; its axes are {axes(sweep)}")
    values = list(variables) or list(frame.attrs["units"])
    twice = frame[frame.duplicated(keys)]
    if not twice.empty:
        differing = [a for a in axes(sweep) if a not in keys and frame[a].nunique(dropna=False) > 1]
        raise ValueError(f"several runs have the same {keys}; name or select one value of {differing}")
    table = frame.set_index(keys)[values].to_xarray()
    for name in values:
        table[name].attrs = {**sweep[name].attrs, "units": frame.attrs["units"][name]}
    for key in keys:
        table[key].attrs = {k: v for k, v in sweep[key].attrs.items() if k in ("units", "long_name")}
    return table


def _interpolate(x: np.ndarray, y: np.ndarray, at: float, log_y: bool) -> np.ndarray:
    """y where x first rises to `at`, along the last axis in the order given; NaN when no two neighbours bracket it."""
    below, above = x[..., :-1], x[..., 1:]
    bracket = (below < at) & (above >= at)
    first = np.argmax(bracket, axis=-1)[..., None]
    pick = lambda values: np.take_along_axis(values, first, axis=-1)[..., 0]  # noqa: E731
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (at - pick(below)) / (pick(above) - pick(below))
        z = np.log(y) if log_y else y
        found = pick(z[..., :-1]) + share * (pick(z[..., 1:]) - pick(z[..., :-1]))
        found = np.exp(found) if log_y else found
    found = np.where(pick(x[..., 1:]) == at, pick(y[..., 1:]), found)
    reached_at_once = x[..., 0] == at
    return np.where(reached_at_once, y[..., 0], np.where(bracket.any(axis=-1), found, np.nan))


def _ordered(accuracy: np.ndarray, joules: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of each curve in the order of their energy; those without a value last."""
    joules = np.where(np.isfinite(accuracy), joules, np.nan)
    order = np.argsort(joules, axis=-1)
    return np.take_along_axis(accuracy, order, axis=-1), np.take_along_axis(joules, order, axis=-1)


def _energy_at(accuracy: np.ndarray, joules: np.ndarray, target: float) -> np.ndarray:
    x, y = _ordered(accuracy, joules)
    return _interpolate(x, y, target, log_y=True)


def _accuracy_at(accuracy: np.ndarray, joules: np.ndarray, budget: float) -> np.ndarray:
    x, y = _ordered(accuracy, joules)
    return _interpolate(np.log(y), x, np.log(budget), log_y=False)


def _curves(sweep: xr.Dataset, by: Names, horizon: str, variable: str, prices: Optional[Prices]) -> xr.Dataset:
    keys = _listed(by)
    table = by_seed(sweep, [*keys, horizon], variable, "energy", prices=prices)
    table = table.rename({variable: "accuracy"}).transpose(*keys, "seed", horizon)
    return table.stack(group=keys).transpose("group", "seed", horizon) if len(keys) > 1 else table


def _result(table: xr.Dataset, values: np.ndarray, by: Names, name: str, attrs: dict[str, str]) -> xr.DataArray:
    keys = _listed(by)
    dim = keys[0] if len(keys) == 1 else "group"
    return xr.DataArray(values, dims=[dim], coords={dim: table[dim]}, name=name, attrs=attrs)


def energy_at_target(sweep: xr.Dataset, accuracy: float, by: Names, *, horizon: str = "epochs",
                     variable: str = "test_accuracy", prices: Optional[Prices] = None) -> xr.DataArray:
    """Mean energy (J) to reach a target accuracy: one value for each value of the axes `by`.

    For every horizon the ends of the runs are averaged over seeds, accuracy and energy alike; then the mean energy is
    interpolated (in its logarithm) where the mean accuracy first rises to the target. NaN when the horizons of the
    sweep do not bracket it: nothing is extrapolated. A horizon at which a seed is missing or has no value does not
    count. Other axes must be selected or listed in `by`.

    Not the mean of first crossings of single runs: the accuracy of a run fluctuates, and the first time at which a noisy
    curve is above the target comes before its mean gets there, the sooner the noisier the curve and the finer its rows.
    That favours noisy methods. Runs that never cross cannot be averaged at all, and leaving them out favours methods that
    fail often. And within a run the rate has not fallen yet (see the top of this module).
    `energy_at_accuracy` is that first crossing, for runs that are stopped at a goal.
    """
    table = _curves(sweep, by, horizon, variable, prices)
    mean = table.mean("seed", skipna=False)
    values = _energy_at(mean.accuracy.values, mean.energy.values, accuracy)
    return _result(table, values, by, "energy", {"units": "J", "long_name": f"energy to reach {variable} = {accuracy:g}"})


def accuracy_at_energy(sweep: xr.Dataset, budget: float, by: Names, *, horizon: str = "epochs",
                       variable: str = "test_accuracy", prices: Optional[Prices] = None) -> xr.DataArray:
    """Mean accuracy that an energy of `budget` (J) buys: the same curves as `energy_at_target`, read the other way.

    Linear in the logarithm of the energy between horizons, NaN outside of them.
    """
    table = _curves(sweep, by, horizon, variable, prices)
    mean = table.mean("seed", skipna=False)
    values = _accuracy_at(mean.accuracy.values, mean.energy.values, budget)
    return _result(table, values, by, variable, {"units": "1", "long_name": f"{variable} for {budget:g} J"})


def compare_at_target(sweep: xr.Dataset, accuracy: float, by: Names, baseline: object, *, horizon: str = "epochs",
                      variable: str = "test_accuracy", prices: Optional[Prices] = None, method: str = "bca",
                      confidence: float = 0.95, resamples: int = 9999, random_seed: int = 1) -> pd.DataFrame:
    """Energy to reach a target (J) and its ratio to that of `baseline`, with bootstrap intervals paired by seed.

    `baseline`: the value of `by` (a tuple when `by` names several axes) that the ratios are relative to; below 1 less
    energy is needed. Every resample draws seeds, the same for all methods and horizons, and interpolates the means as
    `energy_at_target` does. Columns: energy, energy_low, energy_high, ratio, ratio_low, ratio_high; the interval is NaN
    when in some resample a curve does not bracket the target. `method` as in `paired_bootstrap`, and with its caution: with few
    seeds believe "t".
    """
    table = _curves(sweep, by, horizon, variable, prices)
    groups = list(table[table.accuracy.dims[0]].values)
    if baseline not in groups:
        raise KeyError(f"baseline {baseline!r} is not among {groups}")
    values, joules = table.accuracy.values, table.energy.values

    def at(group: int, i: np.ndarray) -> np.ndarray:
        return _energy_at(values[group][i].mean(axis=-2), joules[group][i].mean(axis=-2), accuracy)

    def interval(statistic) -> Interval:  # type: ignore[no-untyped-def]
        return bootstrap_seeds(statistic, table.sizes["seed"], method=method, confidence=confidence, resamples=resamples,
                               random_seed=random_seed, log=True)

    base, rows = groups.index(baseline), []
    for group in range(len(groups)):
        need = interval(lambda i, group=group: at(group, i))
        ratio = interval(lambda i, group=group: at(group, i) / at(base, i))
        rows.append((need.estimate, need.low, need.high, ratio.estimate, ratio.low, ratio.high))
    columns = ["energy", "energy_low", "energy_high", "ratio", "ratio_low", "ratio_high"]
    keys = _listed(by)
    index = pd.Index(groups, name=keys[0]) if len(keys) == 1 else pd.MultiIndex.from_tuples(groups, names=keys)
    return pd.DataFrame(rows, columns=columns, index=index)


def pareto_front(data: Union[xr.Dataset, pd.DataFrame], x: str = "energy", y: str = "test_accuracy", *,
                 by: Optional[Names] = None, prices: Optional[Prices] = None) -> pd.DataFrame:
    """What nothing beats: rows for which no other has at most as much `x` (J) and at least as much `y`; by rising `x`.

    Of single runs, or with `by` of means over everything else (seeds), with the standard errors x_stderr and y_stderr
    and the number of runs `n`. A front of single runs is made of the lucky ones: repeated with other seeds they are
    worse. Judge methods by the front of means. `data` is a sweep, or a frame such as that of `runs`; of equal rows
    the first stays. Rows without a value are left out, and so are means of which one run has none.
    """
    names = [x, y]
    frame = runs(data, *names, prices=prices) if isinstance(data, xr.Dataset) else data
    if by is not None:
        groups = frame.groupby(_listed(by), sort=False, dropna=False)[names]
        mean = groups.agg(lambda values: values.mean(skipna=False))  # without a failed run a mean would be too good
        frame = mean.join(groups.sem().add_suffix("_stderr")).join(groups.size().rename("n")).reset_index()
    ordered = frame.dropna(subset=names).sort_values([x, y], ascending=[True, False], kind="stable")
    best_before = ordered[y].cummax().shift(fill_value=-np.inf)
    return ordered[ordered[y] > best_before]
