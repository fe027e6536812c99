"""The reader of comparisons on the file that the eos program makes of examples/evidence/protocol.toml."""
import os
import pathlib

import eos_reader
import numpy as np
import pytest


@pytest.fixture(scope="module")
def path() -> pathlib.Path:
    name = os.environ.get("EOS_EVIDENCE", "")
    if not name:
        pytest.skip("EOS_EVIDENCE is not set: run these tests with ctest, which makes the file")
    return pathlib.Path(name)


def energy_by_hand(front, target):
    """ln E linear in quality through the points that no cheaper one beats."""
    points = [p for p in front[["energy", "quality"]].dropna().sort_values("energy").itertuples(index=False)]
    best = []
    for energy, quality in points:
        if not best or quality > best[-1][1]:
            best.append((energy, quality))
    energy, quality = np.array(best).T
    if not quality[0] <= target <= quality[-1]:
        return np.nan
    return float(np.exp(np.interp(target, quality, np.log(energy))))


@pytest.mark.parametrize("price_list", ["metabolic-m0", "metabolic", "hbm2"])
def test_gains_are_those_of_the_runs(path, price_list):
    evidence = eos_reader.evidence(path)
    runs = eos_reader.evidence_runs(path, "teacher")
    prices = eos_reader.scaled_prices(evidence, "teacher", price_list)
    fronts = eos_reader.fronts(runs, prices)
    target = float(evidence.task_target.sel(task="teacher"))
    here = {"task": "teacher", "price_list": price_list}

    def energy_of(method):
        configuration = int(evidence.configuration.sel(**here).sel({"method": method}))
        return energy_by_hand(fronts.loc[method, configuration], target)

    base = energy_of(str(evidence.best_dense.sel(**here).item()))
    table = eos_reader.gains(evidence, "teacher", price_list)
    exact = table[table.known == "="]
    assert len(exact) >= 3
    for method, row in exact.iterrows():
        assert np.isclose(row.gain, base / energy_of(method), rtol=1e-9), method
    assert (table.gain.dropna().diff().dropna() <= 0).all()


def test_scaled_lists_charge_dense_training_what_the_protocol_says(path):
    evidence = eos_reader.evidence(path)
    for price_list in ("metabolic-m0", "metabolic"):
        scaled = eos_reader.scaled_prices(evidence, "teacher", price_list)
        builtin = eos_reader.read_prices(price_list)
        changed = {key for key in scaled if scaled[key] > 0 and not np.isclose(scaled[key], builtin.get(key, 0), rtol=1e-3, atol=0)}
        assert changed and changed <= {"write", "path", "accumulator", "maintenance"}
        share = float(evidence.plasticity_share.sel(task="teacher", price_list=price_list))
        assert 0.6 < share < 0.95


def test_trials_are_as_many_for_every_method(path):
    tuning = eos_reader.evidence_runs(path, "teacher", "tuning")
    methods, counts = np.unique(tuning.run_method.values, return_counts=True)
    assert set(counts) == {3} and "dense" in methods and "stacked" in methods
    assert set(np.unique(tuning.seed)) == {101}


def test_other_files_are_refused(path):
    with pytest.raises(ValueError, match="no comparison"):
        eos_reader.evidence(path.parent / "teacher" / "rate.h5")
