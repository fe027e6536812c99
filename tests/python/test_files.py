"""EOS-1 files written by C++ open with both engines of xarray, exactly, with and without the reader."""
import shutil

import eos_reader
import h5py
import numpy as np
import pytest
import xarray as xr

FILES = ["types.h5", "dense.h5", "planned.h5", "plan.h5", "control.h5", "calibration.h5"]


def test_every_type_arrives_exactly(samples, engine):
    data = xr.open_dataset(samples / "types.h5", engine=engine)
    assert dict(data.sizes) == {"i": 3, "x": 4, "none": 0, "bare": 2, "long": 5000}
    tiny, inf = 5e-324, np.inf
    expected = np.array([[0, 0.1, -1e300, np.nan], [inf, tiny, 1, 2], [3, 4, 5, 6]])
    np.testing.assert_array_equal(data.f8, expected)
    assert data.f8.dtype == np.float64 and data.f4.dtype == np.float32
    np.testing.assert_array_equal(data.f4, np.array([0.1, -0.0, 1e-45, 3e38], dtype=np.float32))
    np.testing.assert_array_equal(data.i8, [np.iinfo(np.int64).min, -1, np.iinfo(np.int64).max])
    np.testing.assert_array_equal(data.i4, [np.iinfo(np.int32).min, 0, np.iinfo(np.int32).max])
    assert data.i8.dtype == np.int64 and data.i4.dtype == np.int32 and data.u1.dtype == np.uint8
    np.testing.assert_array_equal(data.u1, [[0, 1, 2], [127, 128, 255]])
    assert list(data.text.values) == ["", "a b", "λ→∞"]
    assert str(data.word.values) == "alone"
    assert float(data.number) == np.pi
    assert data.nothing.size == 0
    np.testing.assert_allclose(data.wave, np.sin(0.01 * np.arange(5000)), atol=1e-5)  # float arguments of the sine


def test_coordinates_units_and_attributes_arrive(samples, engine):
    data = xr.open_dataset(samples / "types.h5", engine=engine)
    assert set(data.coords) == {"i", "x", "none", "long"}  # `bare` is a dimension without coordinate
    np.testing.assert_array_equal(data.x, [0.5, 1, 2, 4])
    assert data.x.dtype == np.float64  # "s" is a unit, not a time difference
    assert data.f8.attrs == {"units": "J", "long_name": "double"}
    assert data.attrs["Conventions"] == "CF-1.8 EOS-1"
    assert data.attrs["history"] == "eos test — with a λ"
    assert data.attrs["empty"] == "" and data.attrs["number"] == 2.5 and data.attrs["count"] == -3
    assert [str(v) for v in data.data_vars][:3] == ["f8", "f4", "i8"]  # in the order they were added


@pytest.mark.parametrize("name", FILES)
def test_every_variable_says_what_it_is(samples, engine, name):
    data = xr.open_dataset(samples / name, engine=engine)
    for variable in data.variables.values():
        assert variable.attrs["long_name"] and variable.attrs["units"]


def test_groups_share_the_dimensions_of_the_root(samples, engine):
    child = eos_reader.open(samples / "types.h5", "child", engine=engine)
    assert dict(child.sizes) == {"step": 2, "i": 3}
    np.testing.assert_array_equal(child.on_parent.sel(i=2), [3, 6])
    tree = eos_reader.tree(samples / "types.h5", engine=engine)
    np.testing.assert_array_equal(tree["/child/deep"]["z"], [7, 8])


@pytest.mark.parametrize("name", FILES)
def test_the_hash_computed_here_is_the_one_computed_there(samples, name):
    with h5py.File(samples / name) as file:
        stored = file.attrs["content_sha256"]
    assert eos_reader.content_sha256(samples / name) == stored
    eos_reader.verify(samples / name)


@pytest.mark.parametrize("change", ["number", "text", "name", "dimension"])
def test_any_change_of_content_is_found(samples, tmp_path, change):
    copy = tmp_path / "copy.h5"
    shutil.copy(samples / "types.h5", copy)
    with h5py.File(copy, "r+") as file:
        if change == "number":
            file["child/on_parent"][0, 0] = 1.0000000000000002
        elif change == "text":
            file["text"][1] = "a c"
        elif change == "name":
            file.move("i4", "i5")
        else:
            file["extra"] = 1.0
    with pytest.raises(eos_reader.ContentError, match="not those that eos wrote"):
        eos_reader.open(copy)
    assert "f8" in eos_reader.open(copy, verify=False)


def test_provenance_is_not_content(samples, tmp_path):
    copy = tmp_path / "copy.h5"
    shutil.copy(samples / "types.h5", copy)
    with h5py.File(copy, "r+") as file:
        file["provenance"].attrs["created"] = "another day"
        file.attrs["title"] = "another title"
    eos_reader.verify(copy)
    assert eos_reader.config(copy) == "[train]\nepochs = 1\n"
    assert "Philox" in eos_reader.provenance(copy)["rng"]


def test_what_is_not_ours_is_refused(samples, tmp_path):
    with pytest.raises(FileNotFoundError):
        eos_reader.open(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(eos_reader.ContentError, match="not an HDF5 file"):
        eos_reader.open(tmp_path / "text.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(eos_reader.ContentError, match="not written by eos"):
        eos_reader.open(tmp_path / "foreign.h5")
    raw = (samples / "types.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(eos_reader.ContentError):
        eos_reader.open(tmp_path / "cut.h5")


def test_a_plan_has_controls_on_intervals_and_states_on_times(samples, engine):
    plan = eos_reader.open(samples / "plan.h5", engine=engine)
    assert plan.data_fraction.dims == ("interval",) and plan.loss.dims == ("time",) and plan.state.dims == ("time", "mode")
    np.testing.assert_allclose(plan["lambda"], np.arange(1, 9) ** -1.5, rtol=1e-15)
    assert plan.data_fraction.attrs["rule"] == "ranked"
    assert float(plan.interval[0]) == 0.5 and float(plan.time[-1]) == 40


def test_states_and_controls_of_a_control_problem_have_names(samples, engine):
    data = eos_reader.open(samples / "control.h5", engine=engine)
    assert data.x.dims == ("state", "time") and data.u.dims == ("control", "time")
    assert list(data.state.values) == ["x", "v"] and list(data.control.values) == ["u"]
    np.testing.assert_array_equal(data.x.sel(state="v"), [0, -1, -1, 0])
    np.testing.assert_array_equal(data.time, [0, 1, 1, 2])  # twice where the control jumps
    np.testing.assert_array_equal(data.u.sel(control="u"), [-1, -1, 1, 1])
    np.testing.assert_array_equal(data.costate.sel(state="x"), [1, 1, 1, 1])
    assert list(data.arc_kind.values) == ["lower", "upper"] and float(data.switch_time[0]) == 1
    assert list(data.term.values) == ["time"] and float(data.term_value[0]) == 2
    assert float(data.lower_bound) == 2 and str(data.lower_bound_source.values) == "closed form"
    assert 'dynamics = "u"' in str(data.problem_toml.values)
