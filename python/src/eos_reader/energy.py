"""Energies of runs: at equal accuracy, by term, and under other prices.

A run stores exact counts (the ledger); a price list turns them into joules afterwards, so one run can be priced again.
"""

from __future__ import annotations

import os
import tomllib
from typing import Mapping, Union

import numpy as np
import pandas as pd
import xarray as xr

from .content import Path

#: Price of each count of the ledger, and the energy term it belongs to.
PRICE_KEYS = {
    "forward_macs": ("mac", "forward"),
    "scoring_macs": ("scoring_mac", "scoring"),
    "backward_macs": ("mac", "backward"),
    "writes": ("write", "write"),
    "path_length": ("path", "path"),
    "path_squared": ("path_squared", "path"),
    "transient_path": ("transient_path", "transient"),
    "accumulator_updates": ("accumulator", "accumulator"),
    "maintenance": ("maintenance", "maintenance"),
    "weight_reads": ("weight_read", "read"),
    "input_bytes": ("input_byte", "input"),
    "samples_seen": ("sample", "upkeep"),
}
Prices = Union[Mapping[str, float], Path]


def _crossing(accuracy: np.ndarray, energy: np.ndarray, target: float) -> float:
    known = np.isfinite(accuracy) & np.isfinite(energy)
    accuracy, energy = accuracy[known], energy[known]
    above = np.flatnonzero(accuracy >= target)
    if above.size == 0:
        return float("nan")
    i = above[0]
    if i == 0:
        return float(energy[0])
    share = (target - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1])
    return float(energy[i - 1] + share * (energy[i] - energy[i - 1]))


def energy_at_accuracy(run: xr.Dataset, accuracy: float, variable: str = "test_accuracy", energy: str = "energy") -> xr.DataArray:
    """Energy (J) when `variable` first reaches `accuracy`, linear between rows; NaN if it never does. One value per replica."""
    result = xr.apply_ufunc(_crossing, run[variable], run[energy], input_core_dims=[["epoch"], ["epoch"]], vectorize=True,
                            kwargs={"target": accuracy})
    result.name = energy
    result.attrs = {"units": run[energy].attrs.get("units", "J"), "long_name": f"energy at {variable} = {accuracy:g}"}
    return result


def saving(baseline: xr.Dataset, other: xr.Dataset, accuracy: float, variable: str = "test_accuracy") -> float:
    """How many times less energy `other` needs for the same accuracy: ratio of the means over replicas."""
    return float(energy_at_accuracy(baseline, accuracy, variable).mean() / energy_at_accuracy(other, accuracy, variable).mean())


def _last(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else float("nan")


def _final(variable: xr.DataArray) -> float:
    """Value at the end of the run, mean over replicas; rows after an early end are NaN."""
    return float(xr.apply_ufunc(_last, variable, input_core_dims=[["epoch"]], vectorize=True).mean())


def energy_table(runs: Union[xr.Dataset, Mapping[str, xr.Dataset]]) -> pd.DataFrame:
    """Energy (J) of each term at the end of each run, mean over replicas; the last row is the total."""
    if isinstance(runs, xr.Dataset):
        runs = {runs.attrs.get("title", "run"): runs}
    columns = {}
    for name, run in runs.items():
        terms = [v for v in run.data_vars if str(v).startswith("energy_") and "epoch" in run[v].dims]
        last = {str(v)[len("energy_"):]: _final(run[v]) for v in terms}
        last["total"] = _final(run["energy"])
        columns[name] = last
    table = pd.DataFrame(columns)
    table.index.name = "term"
    return table


def read_prices(prices: Prices) -> dict[str, float]:
    """Joules per count: a mapping as it is, or the table [prices] of a TOML file."""
    if not isinstance(prices, (str, os.PathLike)):
        return dict(prices)
    with open(prices, "rb") as file:
        table = tomllib.load(file).get("prices", {})
    return {key: float(value) for key, value in table.items() if isinstance(value, (int, float))}


def reprice(run: xr.Dataset, prices: Prices) -> xr.Dataset:
    """The run with `energy` and its terms computed anew from the ledger under other prices."""
    per_count = read_prices(prices)
    unknown = set(per_count) - {price for price, _ in PRICE_KEYS.values()}
    if unknown:
        raise KeyError(f"unknown prices {sorted(unknown)}; known are {sorted({p for p, _ in PRICE_KEYS.values()})}")
    energies: dict[str, xr.DataArray] = {}
    for count, (price, term) in PRICE_KEYS.items():
        if count not in run and not per_count.get(price, 0.0):
            continue  # a file from before this count existed
        part = run[count] * per_count.get(price, 0.0)
        energies[term] = energies[term] + part if term in energies else part
    priced = run.copy()
    for term, values in energies.items():
        priced[f"energy_{term}"] = values.assign_attrs(units="J", long_name=f"part of energy: {term}")
    total = sum(energies.values())
    priced["energy"] = total.assign_attrs(units="J", long_name="modelled energy of training, priced again")  # type: ignore[union-attr]
    return priced
