"""Analysis of sweeps: what the eos program wrote, read back; curves with known crossings; fronts by brute force."""
import os
import pathlib
import shutil

import eos_reader
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from eos_reader import sweep_folder

PRICES = pathlib.Path(__file__).resolve().parents[2] / "data" / "prices"


@pytest.fixture(scope="session")
def made() -> pathlib.Path:
    """The folder with sweep/ (its chunks) and sweep.h5 (merged), made of sweep.toml by the eos program."""
    name = os.environ.get("EOS_SWEEP", "")
    if not name:
        pytest.skip("EOS_SWEEP is not set: run these tests with ctest, which makes the files")
    return pathlib.Path(name)


@pytest.fixture(params=["sweep.h5", "sweep"])
def sweep(made, request) -> xr.Dataset:
    return eos_reader.open(made / request.param)


def as_folder(chunks, folder: pathlib.Path) -> pathlib.Path:
    (folder / "chunks").mkdir(parents=True)
    for chunk in chunks:
        shutil.copy(chunk, folder / "chunks")
    return folder


def assert_same_tables(folder: pathlib.Path, merged: pathlib.Path) -> None:
    paths = [path for path in ("", "schedule", "provenance") if path == "" or path in eos_reader.tree(merged)]
    for path in paths:
        ours, theirs = eos_reader.open(folder, path), eos_reader.open(merged, path)
        assert list(ours.variables) == list(theirs.variables), path
        assert set(ours.coords) == set(theirs.coords), path
        for name, expected in theirs.variables.items():
            found = ours[name]
            assert found.dims == expected.dims and found.dtype == expected.dtype, (path, name)
            np.testing.assert_array_equal(found.values, expected.values, err_msg=f"{path}/{name}")
            assert dict(found.attrs) == dict(expected.attrs), (path, name)
        told = {"history", "content_sha256", "planned_runs"}  # of one file, not of the runs in it
        differ = {k for k in {*ours.attrs, *theirs.attrs} - told if ours.attrs.get(k) != theirs.attrs.get(k)}
        assert path == "provenance" or not differ, (path, differ)


def test_a_folder_is_the_table_that_merging_makes(made):
    assert len(list((made / "sweep" / "chunks").glob("*.h5"))) > 1
    assert_same_tables(made / "sweep", made / "sweep.h5")


@pytest.mark.parametrize("name", ["merged", "ragged"])
def test_so_it_is_when_runs_differ_in_everything(samples, tmp_path, name):
    chunks = sorted(samples.glob("chunk-*.h5" if name == "merged" else "ragged/chunk-*.h5"))
    assert len(chunks) > 1
    assert_same_tables(as_folder(chunks, tmp_path / "folder"), samples / f"{name}.h5")


def test_numbers_are_read_when_they_are_asked_for(made, monkeypatch):
    read = []
    rows_of = sweep_folder._rows_of
    monkeypatch.setattr(sweep_folder, "_rows_of", lambda source, *rows: read.append(source) or rows_of(source, *rows))
    table = eos_reader.open(made / "sweep", verify=False)
    before = len(read)
    table.energy[3].values
    assert before == 0 and len(read) == 1  # of one chunk


def test_any_part_of_a_variable_can_be_taken(samples, tmp_path):
    folder = as_folder(sorted(samples.glob("chunk-*.h5")), tmp_path / "folder")
    whole = xr.open_dataset(samples / "merged.h5").load()
    part = eos_reader.open(folder, verify=False)
    rows = np.array([31, 2, 2, 8])
    for key in (3, -1, slice(None), slice(5, 25, 3), slice(20, 3, -1), rows, slice(4, 4)):
        for column in (1, slice(1, None), np.array([2, 0])):
            np.testing.assert_array_equal(part.loss0[key, column].values, whole.loss0[key, column].values)
        np.testing.assert_array_equal(part.run_id[key].values, whole.run_id[key].values)
    np.testing.assert_array_equal(eos_reader.last(part, "loss0").values, eos_reader.last(whole, "loss0").values)


def test_what_is_finished_so_far_opens(made, tmp_path):
    chunks = sorted((made / "sweep" / "chunks").glob("*.h5"))
    whole = eos_reader.open(made / "sweep")
    part = eos_reader.open(as_folder(chunks[1:], tmp_path / "part"))
    assert whole.status == "complete" and part.status == "partial"
    assert part.sizes["run"] == int((whole.plan_index >= int(part.plan_index[0])).sum()) < whole.sizes["run"]
    with pytest.raises(FileNotFoundError, match="no finished chunk"):
        eos_reader.open(as_folder([], tmp_path / "none"))


def test_damaged_and_foreign_chunks_are_refused(made, samples, tmp_path):
    import h5py

    chunks = sorted((made / "sweep" / "chunks").glob("*.h5"))
    folder = as_folder(chunks, tmp_path / "damaged")
    with h5py.File(folder / "chunks" / chunks[1].name, "r+") as file:
        file["energy"][0, 0] *= 1.0000000001
    with pytest.raises(eos_reader.ContentError, match="not those that eos wrote"):
        eos_reader.open(folder)
    eos_reader.open(folder, verify=False)
    mixed = as_folder(chunks[:1], tmp_path / "mixed")
    shutil.copy(samples / "chunk-000001.h5", mixed / "chunks" / "chunk-000009.h5")
    with pytest.raises(eos_reader.ContentError, match="different sweeps"):
        eos_reader.open(mixed)


def test_runs_are_rows(sweep):
    table = eos_reader.runs(sweep)
    assert eos_reader.axes(sweep) == ["method", "fraction", "epochs"]
    assert len(table) == 24 and list(table.index) == list(range(24))
    assert list(table.columns[:7]) == ["method", "fraction", "epochs", "seed", "design_index", "run_id", "run_status"]
    assert table.fraction.isna().sum() == 12 and set(table.seed) == {1, 3, 4, 5} and table.run_id.nunique() == 24
    assert table.attrs["units"]["energy"] == "J"
    for run, row in table.iterrows():
        end = int(sweep.epoch_count[run]) - 1
        assert float(sweep.epoch[end]) == row.epochs
        assert row.test_accuracy == float(sweep.test_accuracy[run, end]) and row.energy == float(sweep.energy[run, end])
    assert list(eos_reader.runs(sweep, "writes").columns)[-1] == "writes"


def test_groups_know_the_axes_of_their_runs(made):
    for path in (made / "sweep", made / "sweep.h5"):
        schedule = eos_reader.open(path, "schedule")
        assert {"method", "seed", "epochs"} <= set(schedule.coords)
        assert schedule.data_fraction.where(schedule.method == "ranked", drop=True).max() <= 1


def test_priced_again_under_its_own_list_it_is_what_is_stored(sweep):
    assert sweep.attrs["prices"] == "metabolic-m0"
    np.testing.assert_array_equal(eos_reader.energy(sweep, "metabolic-m0"), sweep.energy)  # padding (NaN) included
    assert np.isnan(sweep.energy).any()
    again = eos_reader.reprice(sweep, PRICES / "metabolic-m0.toml")
    for term in ("forward", "scoring", "backward", "write", "accumulator"):
        np.testing.assert_array_equal(again[f"energy_{term}"], sweep[f"energy_{term}"])


def test_under_other_prices_it_is_counts_times_numbers(sweep):
    writes = sweep.writes.where(sweep.writes >= 0)
    macs = (sweep.forward_macs + sweep.backward_macs).where(sweep.writes >= 0)
    np.testing.assert_allclose(eos_reader.energy(sweep, {"mac": 2.0, "write": 3.0}), 2 * macs + 3 * writes, rtol=1e-15)
    np.testing.assert_array_equal(eos_reader.energy(sweep, "hbm2"), eos_reader.energy(sweep, PRICES / "hbm2.toml"))
    dear = eos_reader.runs(sweep, prices={"write": 1.0})
    np.testing.assert_array_equal(dear.energy, eos_reader.last(sweep, "writes"))
    with pytest.raises(KeyError, match="writing"):
        eos_reader.energy(sweep, {"writing": 1.0})
    with pytest.raises(eos_reader.CommandError, match="hbm3"):
        eos_reader.energy(sweep, "hbm3")


@pytest.mark.parametrize("path", sorted(PRICES.glob("*.toml")), ids=lambda path: path.stem)
def test_built_in_lists_have_the_numbers_of_their_files(path):
    assert eos_reader.read_prices(path.stem) == eos_reader.read_prices(path)


def test_a_list_that_is_none_is_refused():
    with pytest.raises(KeyError, match="no price list"):
        eos_reader.read_prices("dbpd")


def test_ends_of_runs_are_arrays_over_axes_and_seeds(sweep):
    table = eos_reader.by_seed(sweep, ["method", "epochs"], "energy")
    assert dict(table.sizes) == {"method": 2, "epochs": 3, "seed": 4} and table.energy.attrs["units"] == "J"
    one = eos_reader.runs(sweep).query("method == 'ranked' and epochs == 2 and seed == 5").energy.item()
    assert float(table.energy.sel({"method": "ranked", "epochs": 2, "seed": 5})) == one
    with pytest.raises(ValueError, match="epochs"):
        eos_reader.by_seed(sweep, "method")
    with pytest.raises(KeyError, match="its axes are"):
        eos_reader.by_seed(sweep, "methods")


HORIZONS = np.array([1.0, 2.0, 4.0, 8.0])


def made_up(accuracy, energy, methods=("a", "b")) -> xr.Dataset:
    """A sweep whose runs have one row: accuracy and energy over (method, horizon, seed)."""
    accuracy, energy = np.broadcast_arrays(accuracy, energy)
    grid = np.meshgrid(methods, HORIZONS, np.arange(1, accuracy.shape[2] + 1), indexing="ij")
    method, epochs, seed = (g.ravel() for g in grid)
    return xr.Dataset(
        {"test_accuracy": ("run", accuracy.ravel()), "energy": ("run", energy.ravel(), {"units": "J"})},
        coords={"run": np.arange(method.size), "method": ("run", method.astype(object)), "epochs": ("run", epochs),
                "seed": ("run", seed)}, attrs={"sweep_axes": "method epochs"})


@pytest.fixture
def logarithmic() -> xr.Dataset:
    """Accuracy 0.5 + 0.1 ln E, minus 0.05 for b; four seeds that cancel in the mean; energies 2 and 3 a horizon."""
    energy = np.array([2.0, 3.0])[:, None, None] * HORIZONS[None, :, None] * np.ones(4)
    offset = np.array([0.01, -0.02, 0.03, -0.02])
    return made_up(0.5 + 0.1 * np.log(energy) - np.array([0, 0.05])[:, None, None] + offset, energy)


def test_energy_at_target_is_exact_on_logarithmic_curves(logarithmic):
    found = eos_reader.energy_at_target(logarithmic, 0.66, "method")
    np.testing.assert_allclose(found, np.exp([1.6, 2.1]), rtol=1e-12)
    assert found.attrs["units"] == "J" and list(found.method.values) == ["a", "b"]
    for method, energy in zip("ab", found.values):
        back = eos_reader.accuracy_at_energy(logarithmic, energy, "method").sel({"method": method})
        assert float(back) == pytest.approx(0.66, rel=1e-12)
    # on a point of the curve itself
    at_two = float(logarithmic.test_accuracy.where((logarithmic.method == "a") & (logarithmic.epochs == 2)).mean())
    assert float(eos_reader.energy_at_target(logarithmic, at_two, "method")[0]) == pytest.approx(4.0, rel=1e-9)


def test_nothing_is_extrapolated_and_nothing_left_out(logarithmic):
    found = eos_reader.energy_at_target(logarithmic, 0.75, "method")
    assert float(found[0]) == pytest.approx(np.exp(2.5)) and np.isnan(eos_reader.energy_at_target(logarithmic, 0.8, "method")[0])
    assert np.isnan(eos_reader.energy_at_target(logarithmic, 0.5, "method")[0])
    assert np.isnan(eos_reader.accuracy_at_energy(logarithmic, 1.0, "method")[0])
    missing = logarithmic.isel(run=np.arange(1, logarithmic.sizes["run"]))  # seed 1 of method a at horizon 1
    np.testing.assert_allclose(eos_reader.energy_at_target(missing, 0.66, "method"), np.exp([1.6, 2.1]), rtol=1e-12)
    assert np.isnan(eos_reader.energy_at_target(missing, 0.6, "method")[0])  # lies between horizons 1 and 2


def test_several_axes_and_order_do_not_matter(logarithmic):
    shuffled = logarithmic.isel(run=np.random.default_rng(1).permutation(logarithmic.sizes["run"]))
    two = shuffled.assign_coords(rate=("run", np.full(shuffled.sizes["run"], 0.1))).assign_attrs(sweep_axes="method rate epochs")
    found = eos_reader.energy_at_target(two, 0.66, ["method", "rate"])
    assert float(found.sel(group=("b", 0.1))) == pytest.approx(np.exp(2.1))


def test_ratios_at_a_target_are_paired_by_seed(logarithmic):
    table = eos_reader.compare_at_target(logarithmic, 0.66, "method", "a", resamples=999)
    assert table.ratio["a"] == table.ratio_low["a"] == table.ratio_high["a"] == 1
    np.testing.assert_allclose(table.energy, np.exp([1.6, 2.1]), rtol=1e-12)
    # every seed has the same offset in both methods, so that the ratio has no spread although the energies have
    np.testing.assert_allclose([table.ratio["b"], table.ratio_low["b"], table.ratio_high["b"]], np.exp(0.5), rtol=1e-12)
    assert table.energy_low["b"] < 0.95 * table.energy["b"] and table.energy_high["b"] > 1.05 * table.energy["b"]
    student = eos_reader.compare_at_target(logarithmic, 0.66, "method", "a", method="t")
    np.testing.assert_allclose(student.ratio_high["b"], np.exp(0.5), rtol=1e-12)
    # ln E at the target moves by -10 times the mean offset: Student's interval of that mean
    from scipy import stats
    half = stats.t.ppf(0.975, 3) * np.std([0.1, -0.2, 0.3, -0.2], ddof=1) / 2
    np.testing.assert_allclose(np.log(student.energy_high / student.energy), half, rtol=1e-9)
    assert np.isnan(eos_reader.compare_at_target(logarithmic, 0.77, "method", "a", resamples=999).energy_low["a"])
    with pytest.raises(KeyError, match="baseline"):
        eos_reader.compare_at_target(logarithmic, 0.66, "method", "dense")


def test_first_crossings_of_noisy_runs_come_too_early():
    """Why means are interpolated: 200 runs of a slow curve with noise, true crossing of the mean at epoch 50."""
    rng = np.random.default_rng(2)
    epoch = np.arange(1.0, 101.0)
    runs = xr.Dataset({"test_accuracy": (("replica", "epoch"), 0.5 + 0.002 * epoch + 0.03 * rng.normal(size=(200, 100))),
                       "energy": (("replica", "epoch"), np.tile(epoch, (200, 1)))}, coords={"epoch": epoch})
    single = float(eos_reader.energy_at_accuracy(runs, 0.6).mean())
    of_mean = float(eos_reader.energy_at_accuracy(runs.mean("replica"), 0.6))
    assert single < 35 and 45 < of_mean < 52


def test_the_front_is_what_nothing_beats():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"energy": rng.integers(1, 30, 200).astype(float), "test_accuracy": rng.integers(1, 30, 200) / 30})
    table.loc[7, "energy"] = np.nan
    front = eos_reader.pareto_front(table)
    e, a = table.energy.to_numpy(), table.test_accuracy.to_numpy()
    beaten = [((e <= e[i]) & (a >= a[i]) & ((e < e[i]) | (a > a[i]))).any() for i in range(200)]
    expected = {(e[i], a[i]) for i in range(200) if not beaten[i] and np.isfinite(e[i])}
    assert set(zip(front.energy, front.test_accuracy)) == expected and len(front) == len(expected)
    assert front.energy.is_monotonic_increasing and front.test_accuracy.is_monotonic_increasing


def test_the_front_of_means_has_errors_and_no_failures(logarithmic):
    front = eos_reader.pareto_front(logarithmic, by=["method", "epochs"])
    assert (front.n == 4).all() and set(front.method) == {"a"}  # a is better at every energy
    offsets = np.array([0.01, -0.02, 0.03, -0.02])
    np.testing.assert_allclose(front.test_accuracy_stderr, offsets.std(ddof=1) / 2, rtol=1e-9)
    failed = logarithmic.copy(deep=True)
    failed.test_accuracy[12:15] = np.nan  # three of four runs of method a at horizon 8: the fourth is no mean
    assert set(eos_reader.pareto_front(failed, by=["method", "epochs"]).query("epochs == 8").method) == {"b"}


def test_the_front_of_a_real_sweep_under_two_price_lists(sweep):
    by = ["method", "epochs"]
    cheap, dear = (eos_reader.pareto_front(sweep, by=by, prices=prices) for prices in ("sram-7nm", "metabolic-m0"))
    assert len(cheap) >= 2 and len(dear) >= 2
    assert not np.array_equal(cheap.energy, dear.energy)
