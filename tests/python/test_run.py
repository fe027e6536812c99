"""A run made by the eos program itself, read back in Python."""
import os
import pathlib

import eos_reader
import numpy as np
import pytest
import xarray as xr

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def path():
    name = os.environ.get("EOS_RUN", "")
    if not name:
        pytest.skip("EOS_RUN is not set: run these tests with ctest, which makes the file")
    return pathlib.Path(name)


def test_the_run_opens_with_both_engines_and_holds_what_is_promised(path, engine):
    run = xr.open_dataset(path, engine=engine)
    for name in ("train_loss", "validation_accuracy", "test_accuracy", "data_fraction", "weight_fraction", "learning_rate",
                 "samples_seen", "samples_backward", "writes", "path_length", "energy"):
        assert "epoch" in run[name].dims, name
    assert np.isfinite(run.energy).all() and (np.diff(run.energy) > 0).all()


def test_its_content_is_verified(path):
    eos_reader.verify(path)
    schedule = eos_reader.open(path, "schedule")
    np.testing.assert_array_equal(schedule.epoch, eos_reader.open(path).epoch)  # groups share the root's epochs


def test_its_energy_is_the_priced_ledger(path):
    run = eos_reader.open(path)
    prices = SOURCE / "data" / "prices" / f"{run.attrs['prices']}.toml"
    again = eos_reader.reprice(run, prices)
    # the same products and sums in another order: a few roundings of 1e-16
    np.testing.assert_allclose(again.energy, run.energy, rtol=1e-13)
    dearer = eos_reader.reprice(run, SOURCE / "data" / "prices" / "metabolic-m0.toml")
    assert float(dearer.energy_write[-1]) == pytest.approx(1.08e-9 * float(run.writes[-1]))


def test_its_configuration_is_kept(path):
    assert "[selection]" in eos_reader.config(path)
