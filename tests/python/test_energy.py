"""Energies at equal accuracy, tables and prices, against numbers known in closed form."""
import pathlib

import eos_reader
import numpy as np
import pytest
import xarray as xr

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def runs(samples):
    return {name: eos_reader.open(samples / f"{name}.h5") for name in ("dense", "planned")}


def test_energy_at_accuracy_is_interpolated_for_each_replica(runs):
    # accuracy = 0.5 + 0.1 epoch - 0.05 replica, energy = 2 epoch
    found = eos_reader.energy_at_accuracy(runs["dense"], 0.75)
    np.testing.assert_allclose(found, [5.0, 6.0], rtol=1e-12)
    assert found.attrs["units"] == "J"


def test_an_accuracy_that_is_not_reached_has_no_energy(runs):
    found = eos_reader.energy_at_accuracy(runs["dense"], 0.88)
    assert float(found[0]) == pytest.approx(7.6) and np.isnan(found[1])
    assert float(eos_reader.energy_at_accuracy(runs["dense"], 0.1)[0]) == 2.0  # already there at the first row


def test_a_run_that_was_cut_short_is_padded_and_still_counts(runs):
    cut = runs["dense"].copy(deep=True)
    cut["test_accuracy"][1, 2:] = np.nan
    cut["energy"][1, 2:] = np.nan
    found = eos_reader.energy_at_accuracy(cut, 0.6)
    np.testing.assert_allclose(found, [2.0, 3.0], rtol=1e-12)
    assert eos_reader.energy_table(cut).loc["total"].iloc[0] == pytest.approx((8 + 4) / 2)


def test_saving_is_the_ratio_of_means(runs):
    assert eos_reader.saving(runs["dense"], runs["planned"], 0.7) == pytest.approx(4.0)


def test_the_table_adds_up(runs):
    table = eos_reader.energy_table(runs)
    assert list(table.columns) == ["dense", "planned"] and list(table.index) == ["forward", "write", "total"]
    assert table.loc["total", "dense"] == pytest.approx(8.0)
    np.testing.assert_allclose(table.drop("total").sum(), table.loc["total"])


def test_a_run_can_be_priced_again():
    counts = {count: ("epoch", np.array([1.0, 2.0]) * 10**i) for i, count in enumerate(eos_reader.PRICE_KEYS)}
    run = xr.Dataset(counts)
    priced = eos_reader.reprice(run, {"mac": 2.0, "write": 3.0})
    np.testing.assert_allclose(priced.energy_forward, 2 * run.forward_macs)
    np.testing.assert_allclose(priced.energy_write, 3 * run.writes)
    np.testing.assert_allclose(priced.energy, 2 * run.forward_macs + 2 * run.backward_macs + 3 * run.writes)
    with pytest.raises(KeyError, match="macs"):
        eos_reader.reprice(run, {"macs": 1.0})


def test_price_files_are_read():
    prices = eos_reader.read_prices(SOURCE / "data" / "prices" / "hbm2.toml")
    assert prices["write"] == 1.25e-10
    known = {price for price, _ in eos_reader.PRICE_KEYS.values()}
    for path in (SOURCE / "data" / "prices").glob("*.toml"):
        assert set(eos_reader.read_prices(path)) <= known
