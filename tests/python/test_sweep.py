"""The files of a sweep in xarray (both engines), h5py and ncdump."""
import subprocess
import shutil

import h5py
import numpy as np
import pytest
import xarray as xr

import eos_reader


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
@pytest.mark.parametrize("name", ["merged.h5", "chunk-000001.h5"])
def test_every_engine_reads_a_sweep(samples, engine, name):
    with xr.open_dataset(samples / name, engine=engine) as sweep:
        assert sweep.attrs["kind"] == "sweep"
        assert sweep.loss0.dims == ("run", "epoch")
        assert {"run_id", "seed", "design_index", "rate"} <= set(sweep.loss0.coords)
        assert sweep.epoch_count.dtype == np.int32
        for run in range(sweep.sizes["run"]):
            count = int(sweep.epoch_count[run])
            index = int(sweep.plan_index[run])
            expected = np.sin(index) / (1 + np.arange(count))
            np.testing.assert_array_equal(np.round(sweep.loss0[run, :count], 12), np.round(expected, 12))
            assert np.isnan(sweep.loss0[run, count:]).all()
            assert sweep.run_id.values[run] == f"{77 * index:016x}"
    with xr.open_dataset(samples / name, engine=engine, group="schedule") as schedule:
        assert schedule.planned.dims == ("run", "edge")
    with xr.open_dataset(samples / name, engine=engine, group="provenance") as provenance:
        assert provenance.attrs["device"] == "cpu"
        assert provenance.effective_toml.values[0].startswith("seed = ")


def test_means_over_seeds_are_one_line(samples):
    with xr.open_dataset(samples / "merged.h5", engine="h5netcdf") as sweep:
        last = sweep.loss0.isel(epoch=sweep.epoch_count - 1)
        means = last.groupby("design_index").mean()
        by_hand = [last.values[sweep.design_index.values == d].mean() for d in np.unique(sweep.design_index)]
        np.testing.assert_allclose(means.values, by_hand, rtol=1e-14)


def test_the_content_hash_is_that_of_the_reader(samples):
    eos_reader.verify(samples / "merged.h5")


def test_h5py_reads_numbers_and_texts(samples):
    with h5py.File(samples / "merged.h5") as file:
        assert file["loss0"].compression is None and file["loss0"].chunks is None
        assert file["run_id"].asstr()[1] == f"{77:016x}"
        assert [dim[0].name for dim in file["loss0"].dims] == ["/run", "/epoch"]


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="ncdump (netcdf-bin) is not installed")
@pytest.mark.parametrize("name", ["merged.h5", "chunk-000001.h5"])
def test_ncdump_lists_a_sweep(samples, name):
    text = subprocess.run(["ncdump", "-h", samples / name], check=True, capture_output=True, text=True).stdout
    assert "double loss0(run, epoch)" in text
    assert "string run_id(run)" in text
    assert 'loss0:coordinates = "run_id seed design_index rate"' in text
