"""Open EOS-1 files and the folders of sweeps: one group, or all of them."""

from __future__ import annotations

import os
from typing import Any, Optional

import h5py
import xarray as xr

from .content import Path, verify as verify_content
from .sweep_folder import chunk_files, open_folder


def _with_coordinates(data: xr.Dataset, root: xr.Dataset) -> xr.Dataset:
    """A group with the coordinates of the root for the dimensions they share; those of runs (seed, axes) among them."""
    shared = {name: c for name, c in root.coords.items() if name not in data.variables and c.dims and c.dims[0] in data.dims}
    return data.assign_coords({name: c for name, c in shared.items() if all(c.sizes[d] == data.sizes.get(d) for d in c.dims)})


def open(path: Path, group: str = "", *, engine: Optional[str] = None, verify: bool = True) -> xr.Dataset:
    """The main table of a file or of the folder of a sweep, or one of its groups, as a Dataset.

    A group gets the coordinates of the root for the dimensions it shares with it. Of a folder all finished runs are there,
    in the order of the plan, as in the file that ``eos merge --partial`` would make. Numbers are read when they are asked
    for. `engine` is "h5netcdf", "netcdf4" or None for xarray's choice. With `verify`, raises ContentError when the numbers
    are not those that eos wrote; this reads everything once, so for the first look at a large sweep use verify=False.
    """
    name = group.strip("/")
    if os.path.isdir(path):
        groups = open_folder(path, verify_content=verify)
        return _with_coordinates(groups[f"/{name}"], groups["/"]) if name else groups["/"]
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    if verify:
        verify_content(path)
    root = xr.open_dataset(os.fspath(path), engine=engine)
    return _with_coordinates(xr.open_dataset(os.fspath(path), group=name, engine=engine), root) if name else root


def _group_paths(group: h5py.Group, path: str = "") -> list[str]:
    children = [name for name in group if isinstance(group[name], h5py.Group)]
    return [path or "/"] + [p for name in children for p in _group_paths(group[name], f"{path}/{name}")]


def tree(path: Path, *, engine: Optional[str] = None, verify: bool = True) -> Any:
    """All groups: a DataTree where xarray has one (2024.10 and later), else a dict from group path to Dataset.

    Both are indexed alike: ``tree(path)["/schedule"]``.
    """
    if os.path.isdir(path):
        groups = open_folder(path, verify_content=verify)
        return xr.DataTree.from_dict(groups) if hasattr(xr, "DataTree") else groups
    if verify:
        verify_content(path)
    if hasattr(xr, "open_datatree"):
        return xr.open_datatree(os.fspath(path), engine=engine)
    with h5py.File(path, "r") as file:
        paths = _group_paths(file)
    return {p: open(path, p, engine=engine, verify=False) for p in paths}


def provenance(path: Path) -> dict[str, Any]:
    """What made the file: effective configuration, command, version, commit, compiler, seeds. Of a folder: its first chunk."""
    with h5py.File(chunk_files(path)[0] if os.path.isdir(path) else path, "r") as file:
        return dict(file["provenance"].attrs) if "provenance" in file else {}


def config(path: Path) -> str:
    """The effective configuration as TOML text, defaults included; running it again gives the same content."""
    return str(provenance(path).get("effective_toml", ""))
