"""The folder of a sweep as one table, without merging: its chunk files one after the other along `run`.

The rules are those of docs/file-format.md ("Sweep"): the table is the one that ``eos merge --partial`` would write. Only
headers, counts and coordinates are read here; numbers are read from the chunk files when they are asked for.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Any, Callable, Iterable, Iterator, Optional, Union

import h5py
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from .content import ContentError, Path, is_bare_dimension, dimensions_of, verify

_OF_FILE = {"Conventions", "eos_schema", "content_sha256", "kind"}
_OF_SWEEP = {"title", "source", "history", "run_coordinates", "sweep_axes", "planned_runs"}
_OF_HDF5 = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict",
            "_NCProperties", "_FillValue"}
Attributes = dict[str, Any]


def _attributes(of: Union[h5py.Group, h5py.Dataset]) -> Attributes:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in of.attrs.items()
            if name not in _OF_HDF5}


@dataclasses.dataclass
class _Column:
    """Header of a variable."""

    dims: tuple[str, ...]
    dtype: np.dtype
    attrs: Attributes
    is_dimension: bool = False

    @property
    def role(self) -> str:
        return str(self.attrs.get("sweep_role", ""))


@dataclasses.dataclass
class _Chunk:
    """A group of a chunk file; a group that a file does not have is an empty one."""

    path: pathlib.Path
    group: str
    runs: int
    dims: dict[str, int]  # of this group
    columns: dict[str, _Column]
    values: dict[str, np.ndarray]  # of counts and of coordinates of dimensions
    attrs: Attributes
    children: dict[str, "_Chunk"]
    covered: list[frozenset[str]]  # of each run: dimensions along which it has rows, parents' included

    def covers(self, dims: Iterable[str]) -> bool:
        return any(here.issuperset(dims) for here in self.covered)

    def child(self, name: str) -> "_Chunk":
        nothing = _Chunk(self.path, f"{self.group}/{name}", self.runs, {}, {}, {}, {}, {}, self.covered)
        return self.children.get(name, nothing)

    def has_own_coordinate(self, dim: str) -> bool:
        return f"{dim}_coordinate" in self.columns and self.columns[f"{dim}_coordinate"].role == "coordinate"


def _names(group: h5py.Group) -> list[str]:
    """In the order in which they were written."""
    names: list[bytes] = []
    group.id.links.iterate(names.append, idx_type=h5py.h5.INDEX_CRT_ORDER)
    return [name.decode() for name in names]


class _Reader:
    """Reads the headers of chunk files. What one name means is the same in all of them (else they cannot be stacked), so
    headers of variables are read in the first file that has them: they are most of the time that opening takes."""

    def __init__(self) -> None:
        self._known: dict[str, _Column] = {}

    def chunk(self, path: pathlib.Path) -> _Chunk:
        with h5py.File(path, "r") as file:
            if "run" not in file:
                raise ContentError(f"{path} holds no runs of a sweep")
            runs = int(file["run"].shape[0])
            return self._group(path, file, "", runs, [frozenset()] * runs)

    def _group(self, path: pathlib.Path, group: h5py.Group, name: str, runs: int, covered: list[frozenset[str]]) -> _Chunk:
        chunk = _Chunk(path, name, runs, {}, {}, {}, _attributes(group), {}, [])
        groups = []
        for key in _names(group):
            known = self._known.get(f"{name}/{key}")
            if known is not None and not known.is_dimension and known.role not in ("count", "attribute"):
                chunk.columns[key] = known
            elif isinstance(item := group[key], h5py.Group):
                groups.append((key, item))
            else:
                self._variable(chunk, key, item)
        rows = {key[: -len("_count")]: chunk.values[key] for key, column in chunk.columns.items() if column.role == "count"}
        chunk.covered = [covered[i] | {dim for dim, count in rows.items() if count[i] > 0} for i in range(runs)]
        chunk.children = {key: self._group(path, item, f"{name}/{key}", runs, chunk.covered) for key, item in groups}
        return chunk

    def _variable(self, chunk: _Chunk, key: str, item: h5py.Dataset) -> None:
        is_dimension = h5py.h5ds.is_scale(item.id)
        if is_dimension and key != "run":
            chunk.dims[key] = item.shape[0]
        if key == "run" or is_bare_dimension(item):
            return
        text = h5py.check_string_dtype(item.dtype) is not None
        column = self._known.get(f"{chunk.group}/{key}")
        if column is None or column.role == "attribute":  # its type may be another
            column = _Column(tuple(dimensions_of(key, item)), np.dtype(object) if text else item.dtype, _attributes(item), is_dimension)
            self._known[f"{chunk.group}/{key}"] = column
        chunk.columns[key] = column
        if column.role == "count" or is_dimension:
            chunk.values[key] = np.asarray(item.asstr()[()] if text else item[()])


def _missing(dtype: np.dtype, role: str = "") -> Any:
    """What stands where a run has nothing: NaN, -1 (255 in uint8), empty text; 0 for counts and presence."""
    if dtype.kind == "O":
        return ""
    if role in ("count", "present"):
        return dtype.type(0)
    return dtype.type(np.nan) if dtype.kind == "f" else np.array(-1).astype(dtype)[()]


#: What a chunk gives to a variable of the whole: its own variable, one value for all its runs, or values of each run.
_Source = Union[tuple[_Chunk, str], np.ndarray]


def _rows_of(source: _Source, first: int, last: int) -> np.ndarray:
    if isinstance(source, np.ndarray):
        return source[first:last] if source.ndim else source
    chunk, name = source
    with h5py.File(chunk.path, "r") as file:
        variable = file[f"{chunk.group}/{name}"]
        return np.asarray((variable.asstr() if chunk.columns[name].dtype.kind == "O" else variable)[first:last])


class _Stacked(BackendArray):
    """A variable over (run, ...), read from the chunk files when it is asked for."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, fill: Any, sources: list[tuple[int, _Source]]) -> None:
        self.shape, self.dtype, self._fill, self._sources = shape, dtype, fill, sources

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        wanted = np.atleast_1d(np.arange(self.shape[0])[key[0]])
        out = np.full((wanted.size, *self.shape[1:]), self._fill, dtype=self.dtype)
        first = 0
        for runs, source in self._sources:
            here = np.flatnonzero((wanted >= first) & (wanted < first + runs))
            if here.size:
                rows = wanted[here] - first
                values = _rows_of(source, rows.min(), rows.max() + 1)
                if values.ndim:
                    out[np.ix_(here, *map(np.arange, values.shape[1:]))] = values[rows - rows.min()]
                else:
                    out[here] = values[()]
            first += runs
        for axis in range(len(key) - 1, 0, -1):  # outer indexing, one axis at a time
            out = out[(slice(None),) * axis + (key[axis],)]
        return out[0] if np.ndim(key[0]) == 0 and not isinstance(key[0], slice) else out


class _Group:
    """One group of the whole sweep, stacked from that group of every chunk."""

    def __init__(self, chunks: list[_Chunk], parents: dict[str, int]) -> None:
        self.chunks, self.runs = chunks, sum(chunk.runs for chunk in chunks)
        self.dims = {dim: max(c.dims.get(dim, 0) for c in chunks) for dim in sorted({d for c in chunks for d in c.dims})}
        self.lengths = {**parents, **self.dims}
        self.variables: dict[str, xr.Variable] = {"run": xr.Variable("run", np.arange(self.runs), _plain("run"))} \
            if not parents else {}
        self.attrs: Attributes = {}
        self._add_dimensions()
        self._add_values()
        self._add_attributes(root=not parents)

    def _add(self, name: str, like: _Column, source: Callable[[_Chunk], Optional[_Source]], role: str = "", **attrs: str) -> None:
        shape = (self.runs, *(self.lengths[dim] for dim in like.dims[1:]))
        fill = _missing(like.dtype, role)
        pieces = [(c.runs, np.asarray(fill) if (found := source(c)) is None else found) for c in self.chunks]
        lazy = indexing.LazilyIndexedArray(_Stacked(shape, like.dtype, fill, pieces))
        self.variables[name] = xr.Variable(like.dims, lazy, {**like.attrs, **attrs, **({"sweep_role": role} if role else {})})

    def _own(self, name: str) -> Callable[[_Chunk], Optional[_Source]]:
        return lambda chunk: (chunk, name) if name in chunk.columns else None

    def _add_dimensions(self) -> None:
        differing: dict[str, _Column] = {}
        for dim in self.dims:
            having = [c for c in self.chunks if dim in c.dims]
            with_values = [c for c in having if dim in c.columns]
            if not with_values:
                continue
            values = [c.values[dim] for c in with_values]
            longest = max(values, key=len)
            common = len(with_values) == len(having) and not any(c.has_own_coordinate(dim) for c in having) and all(
                np.array_equal(v, longest[: len(v)]) for v in values)
            if common:
                self.variables[dim] = xr.Variable(dim, longest, dict(with_values[0].columns[dim].attrs))
            else:
                self.variables[dim] = xr.Variable(dim, np.arange(self.dims[dim]), _plain(f"position along {dim}"))
                own = next((c.columns[f"{dim}_coordinate"] for c in having if c.has_own_coordinate(dim)), None)
                like = own or with_values[0].columns[dim]
                differing[dim] = _Column(("run", dim), like.dtype, dict(like.attrs))
        for dim in self.dims:
            like = next(c.columns[f"{dim}_count"] for c in self.chunks if dim in c.dims)
            self._add(f"{dim}_count", like, self._own(f"{dim}_count"), "count")
            if dim in differing:
                self._add(f"{dim}_coordinate", differing[dim], lambda chunk, dim=dim: _own_coordinate(chunk, dim), "coordinate")

    def _add_values(self) -> None:
        columns = {name: column for chunk in reversed(self.chunks) for name, column in chunk.columns.items()}
        order = dict.fromkeys(name for chunk in self.chunks for name in chunk.columns)
        for name in order:
            if columns[name].role or name in self.dims:
                continue
            like, present = columns[name], f"{name}_present"
            self._add(name, like, self._own(name))
            gaps = any(present in c.columns or (name not in c.columns and c.covers(like.dims[1:])) for c in self.chunks)
            if gaps:
                mark = _Column(("run",), np.dtype(np.uint8), _plain(f"1 where the run has {name}"))
                self._add(present, mark, lambda chunk, name=name, present=present: (chunk, present) if present in chunk.columns
                          else np.asarray(name in chunk.columns, dtype=np.uint8), "present")

    def _add_attributes(self, root: bool) -> None:
        as_columns = {name for c in self.chunks for name, column in c.columns.items() if column.role == "attribute"}
        for name in sorted({name for c in self.chunks for name in c.attrs} | as_columns):
            values = [c.attrs[name] for c in self.chunks if name in c.attrs]
            if root and name in _OF_FILE | _OF_SWEEP:
                self.attrs[name] = values[0]
            elif root and name == "status":
                self.attrs[name] = "complete" if all(v == "complete" for v in values) else "partial"
            elif root and name == "determinism":
                self.attrs[name] = min(values)  # "R1 ..." promises less than "R2 ..."
            elif name not in as_columns and len(values) == len(self.chunks) and all(v == values[0] for v in values):
                self.attrs[name] = values[0]
            elif name not in self.variables:
                self._add_attribute(name, values)

    def _add_attribute(self, name: str, values: list[Any]) -> None:
        types = {c.columns[name].dtype for c in self.chunks if name in c.columns} | {
            np.dtype(object) if isinstance(v, str) else np.asarray(v).dtype for v in values}
        like = _Column(("run",), types.pop() if len(types) == 1 else np.dtype(object), _plain(f"{name} of the run"))

        def source(chunk: _Chunk) -> Optional[_Source]:
            if name in chunk.columns:
                return chunk, name
            return np.asarray(chunk.attrs[name], dtype=like.dtype) if name in chunk.attrs else None

        self._add(name, like, source, "attribute")

    def dataset(self) -> xr.Dataset:
        coordinates = [name for name in str(self.attrs.get("run_coordinates", "")).split() if name in self.variables]
        for variable in self.variables.values():
            variable.attrs.pop("coordinates", None)  # as xarray does when it reads a file: they are coordinates now
        return xr.Dataset(self.variables, attrs=self.attrs).set_coords(coordinates)


def _plain(long_name: str) -> Attributes:
    return {"units": "1", "long_name": long_name}


def _own_coordinate(chunk: _Chunk, dim: str) -> Optional[_Source]:
    """Coordinates of a dimension in every run of a chunk."""
    if chunk.has_own_coordinate(dim):
        return chunk, f"{dim}_coordinate"
    if dim not in chunk.values:
        return None
    values, count = chunk.values[dim], chunk.values[f"{dim}_count"]
    return np.where(np.arange(len(values)) < count[:, None], values, _missing(chunk.columns[dim].dtype))


def chunk_files(folder: Path) -> list[pathlib.Path]:
    """The finished chunks of a sweep's folder in plan order. Raises FileNotFoundError when there is none."""
    files = sorted(pathlib.Path(folder).glob("chunks/chunk-*.h5"))
    if not files:
        raise FileNotFoundError(f"{os.fspath(folder)} holds no finished chunk of a sweep (chunks/*.h5): 'eos sweep status' tells more")
    return files


def _walk(chunks: list[_Chunk], path: str, parents: dict[str, int]) -> Iterator[tuple[str, xr.Dataset]]:
    group = _Group(chunks, parents)
    yield path or "/", group.dataset()
    for name in sorted({name for chunk in chunks for name in chunk.children}):
        yield from _walk([chunk.child(name) for chunk in chunks], f"{path}/{name}", {"run": group.runs, **group.lengths})


def open_folder(folder: Path, *, verify_content: bool = True) -> dict[str, xr.Dataset]:
    """All groups of the finished runs of a sweep's folder, by their path ("/", "/schedule", "/provenance").

    Numbers are read when they are asked for. Raises ContentError when a chunk is not what eos wrote, or belongs to
    another sweep.
    """
    paths, reader = chunk_files(folder), _Reader()
    if verify_content:
        for path in paths:
            verify(path)
    chunks = [reader.chunk(path) for path in paths]
    names = {str(chunk.attrs.get("run_coordinates", "")) for chunk in chunks}
    files = {str(chunk.child("provenance").attrs.get("effective_toml", "")) for chunk in chunks} - {""}
    if len(names) > 1 or len(files) > 1:
        raise ContentError(f"{os.fspath(folder)} holds chunks of different sweeps")
    groups = dict(_walk(chunks, "", {}))
    root = groups["/"]
    if root.sizes["run"] < int(root.attrs.get("planned_runs", 0)):
        root.attrs["status"] = "partial"
    return groups
