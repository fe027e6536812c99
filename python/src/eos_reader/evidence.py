"""Comparisons made by ``eos evidence``: gains, fronts and schedules as tidy tables.

    evidence = eos_reader.evidence("evidence.h5")                 # checked; over task, method, price_list
    eos_reader.gains(evidence, "mlp-mnist", "hbm2")               # methods by gain, with intervals
    runs = eos_reader.evidence_runs("evidence.h5", "mlp-mnist")   # the runs themselves
    eos_reader.fronts(runs, "hbm2")                               # quality against energy over horizons
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

from .content import Path
from .files import open as open_file
from .pricing import Prices, energy
from .sweeps import last


def evidence(path: Path, *, verify: bool = True) -> xr.Dataset:
    """The results of a comparison, over `task`, `method`, `price_list`; docs/evidence.md lists the variables.

    Raises ValueError when the file is something else, ContentError when its numbers were changed.
    """
    data = open_file(path, verify=verify)
    if data.attrs.get("kind") != "evidence":
        raise ValueError(f"{path} holds no comparison: its kind is {data.attrs.get('kind')!r}")
    return data


def evidence_runs(path: Path, task: str, table: str = "runs") -> xr.Dataset:
    """The runs of a task, over `run`; `table` is "runs" (final ones) or "tuning" (trials on validation data).

    `run_method`, `run_configuration` and `run_factor` (horizon as a multiple of the method's own) are coordinates.
    """
    data = open_file(path, f"{task.replace('-', '_')}/{table}", verify=False)
    own = [name for name in ("run_method", "run_configuration", "run_factor", "seed", "run_id") if name in data]
    return data.set_coords(own)


def scaled_prices(data: xr.Dataset, task: str, price_list: str) -> dict[str, float]:
    """A price list as it was scaled for a task (J per count), to be given wherever prices are asked for."""
    text = str(data.task_prices.sel(task=task, price_list=price_list).item())
    prices = {}
    for line in text.splitlines():
        key, equals, value = line.partition("#")[0].partition("=")
        if equals and not value.strip().startswith('"'):
            prices[key.strip()] = float(value)
    return prices


def gains(data: xr.Dataset, task: str, price_list: str, over: str = "gain") -> pd.DataFrame:
    """Methods of a task under a price list, the largest gain first.

    `over` is "gain" (over the best dense training), "gain_over_plain", "gain_over_competitor", "gain_over_single_axis" or
    "gain_compared". Columns: axis, gain, known ("=", ">=", "<=", "" when not reached), low and high (95 % jackknife with
    Student's t), bootstrap_low and bootstrap_high.
    """
    one = data.sel(task=task, price_list=price_list)
    frame = pd.DataFrame({"axis": one.method_axis.values, "gain": one[over].values, "known": one[f"{over}_known"].values,
                          "low": one[f"{over}_t_low"].values, "high": one[f"{over}_t_high"].values,
                          "bootstrap_low": one[f"{over}_low"].values, "bootstrap_high": one[f"{over}_high"].values},
                         index=pd.Index(one.method.values, name="method"))
    there = ~one.configuration.isnull().values
    return frame[there].sort_values("gain", ascending=False)


def fronts(runs: xr.Dataset, prices: Prices, variable: str = "test_accuracy") -> pd.DataFrame:
    """Mean quality against mean energy (J), one row for each method, configuration and horizon.

    Index: method, configuration, factor. Columns: energy, quality, quality_stderr, seeds. Runs that diverged are left out of
    `seeds` and make the means of their row NaN, because a mean over survivors would flatter.
    """
    frame = pd.DataFrame({"method": runs.run_method.values, "configuration": runs.run_configuration.values,
                          "factor": runs.run_factor.values, "energy": last(runs, energy(runs, prices)).values,
                          "quality": last(runs, variable).values, "complete": runs.run_status.values == "complete"})
    frame.loc[~frame.complete, ["energy", "quality"]] = float("nan")
    groups = frame.groupby(["method", "configuration", "factor"])
    return pd.DataFrame({"energy": groups.energy.agg(lambda v: v.mean(skipna=False)),
                         "quality": groups.quality.agg(lambda v: v.mean(skipna=False)),
                         "quality_stderr": groups.quality.sem(), "seeds": groups.complete.sum()})
