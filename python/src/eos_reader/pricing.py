"""Energies of runs: at equal accuracy, by term, and under other prices.

A run stores exact counts (the ledger); a price list turns them into joules afterwards, so one run can be priced again.
"""

from __future__ import annotations

import functools
import json
import operator
import os
import tomllib
from typing import Mapping, Union

import numpy as np
import pandas as pd
import xarray as xr

from .command import eos
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


@functools.lru_cache(maxsize=None)
def _builtin_prices(name: str) -> dict[str, float]:
    """A price list that is built into eos, from the program itself."""
    rows = json.loads(eos("explain", name, "--format", "json"))["explanations"]
    prices = {row["field"]: float(row["value"]) for row in rows if row["value"] is not None}
    if not any(row["field"] == "price list" for row in rows):
        raise KeyError(f"eos knows {name!r}, but it is no price list; 'eos explain' lists them")
    return prices


def read_prices(prices: Prices) -> dict[str, float]:
    """Joules per count: a mapping as it is, the table [prices] of a TOML file, or a built-in list by its name ("hbm2").

    What is not listed is free. Built-in lists come from the eos program (``eos explain hbm2`` shows numbers and
    sources), so that no number is kept twice.
    """
    if not isinstance(prices, (str, os.PathLike)):
        return dict(prices)
    if isinstance(prices, str) and not prices.endswith(".toml"):
        return dict(_builtin_prices(prices))
    with open(prices, "rb") as file:
        table = tomllib.load(file).get("prices", {})
    return {key: float(value) for key, value in table.items() if isinstance(value, (int, float))}


def _terms(run: xr.Dataset, prices: Prices) -> dict[str, xr.DataArray]:
    """Joules by term: count times price, in the order in which eos sums them. NaN where a padded table has no count (-1)."""
    per_count = read_prices(prices)
    unknown = set(per_count) - {price for price, _ in PRICE_KEYS.values()}
    if unknown:
        raise KeyError(f"unknown prices {sorted(unknown)}; known are {sorted({p for p, _ in PRICE_KEYS.values()})}")
    terms: dict[str, xr.DataArray] = {}
    for count, (price, term) in PRICE_KEYS.items():
        if count not in run and not per_count.get(price, 0.0):
            continue  # a file from before this count existed
        part = run[count].where(run[count] >= 0) * per_count.get(price, 0.0)
        terms[term] = terms[term] + part if term in terms else part
    return terms


def energy(run: xr.Dataset, prices: Prices) -> xr.DataArray:
    """Energy (J) of runs under a price list, from their counts: E = sum of count times price, cumulative as the counts are.

    `run`: a run, or a sweep with all its runs at once. `prices`: numbers, a TOML file or the name of a built-in list, see
    `read_prices`. With the list that the run was made under it is the stored `energy`, to the last bit. Formula: theory/ledger.hpp,
    after Li & van Rossum, eLife 9:e50804 (2020), eq. 1 and 4, and van Rossum & Pache, PLoS Comput Biol 20(10):e1012553 (2024).
    """
    total = functools.reduce(operator.add, _terms(run, prices).values())
    name = prices if isinstance(prices, str) else "given"
    total.name = "energy"
    return total.assign_attrs(units="J", long_name=f"modelled energy of training, cumulative, prices: {name}")


def reprice(run: xr.Dataset, prices: Prices) -> xr.Dataset:
    """The run, or the sweep, with `energy` and its terms computed anew from the ledger under other prices."""
    priced = run.copy()
    for term, values in _terms(run, prices).items():
        priced[f"energy_{term}"] = values.assign_attrs(units="J", long_name=f"part of energy: {term}")
    priced["energy"] = energy(run, prices)
    return priced
