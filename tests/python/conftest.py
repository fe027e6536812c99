"""Where the sample files are: ctest makes them first and names the folder."""
import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def samples() -> pathlib.Path:
    folder = os.environ.get("EOS_SAMPLES", "")
    if not folder:
        pytest.skip("EOS_SAMPLES is not set: run these tests with ctest, which makes the files")
    return pathlib.Path(folder)


@pytest.fixture(params=["h5netcdf", "netcdf4"])
def engine(request) -> str:
    pytest.importorskip({"h5netcdf": "h5netcdf", "netcdf4": "netCDF4"}[request.param])
    return request.param
