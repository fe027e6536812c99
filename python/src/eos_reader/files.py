"""Open EOS-1 files: one group, or all of them."""

from __future__ import annotations

import os
from typing import Any, Optional

import h5py
import xarray as xr

from .content import Path, verify as verify_content


def open(path: Path, group: str = "", *, engine: Optional[str] = None, verify: bool = True) -> xr.Dataset:
    """The main table of a file, or one of its groups, as a Dataset.

    A group gets the coordinates of the root for the dimensions it shares with it. `engine` is "h5netcdf", "netcdf4" or
    None for xarray's choice. With `verify`, raises ContentError when the numbers are not those that eos wrote.
    """
    if verify:
        verify_content(path)
    root = xr.open_dataset(os.fspath(path), engine=engine)
    if not group.strip("/"):
        return root
    data = xr.open_dataset(os.fspath(path), group=group.strip("/"), engine=engine)
    shared = {name: root.coords[name] for name in data.dims if name in root.coords and name not in data.coords}
    return data.assign_coords({name: c for name, c in shared.items() if c.sizes[name] == data.sizes[name]})


def _group_paths(group: h5py.Group, path: str = "") -> list[str]:
    children = [name for name in group if isinstance(group[name], h5py.Group)]
    return [path or "/"] + [p for name in children for p in _group_paths(group[name], f"{path}/{name}")]


def tree(path: Path, *, engine: Optional[str] = None, verify: bool = True) -> Any:
    """All groups: a DataTree where xarray has one (2024.10 and later), else a dict from group path to Dataset.

    Both are indexed alike: ``tree(path)["/schedule"]``.
    """
    if verify:
        verify_content(path)
    if hasattr(xr, "open_datatree"):
        return xr.open_datatree(os.fspath(path), engine=engine)
    with h5py.File(path, "r") as file:
        paths = _group_paths(file)
    return {p: open(path, p, engine=engine, verify=False) for p in paths}


def provenance(path: Path) -> dict[str, Any]:
    """What made the file: effective configuration, command, version, commit, compiler, seeds."""
    with h5py.File(path, "r") as file:
        return dict(file["provenance"].attrs) if "provenance" in file else {}


def config(path: Path) -> str:
    """The effective configuration as TOML text, defaults included; running it again gives the same content."""
    return str(provenance(path).get("effective_toml", ""))
