"""The content hash of an EOS-1 file: SHA-256 over what is measured or computed, not over how or when.

The definition is that of docs/file-format.md and is written down a second time here, from the file alone: groups and
variables in the order of their names, each variable as a line of text with its name, element type and dimensions,
followed by its little-endian bytes (texts: "length:bytes"). Attributes and groups named ``provenance`` do not count.
"""

from __future__ import annotations

import hashlib
import os
from typing import Iterator, Union

import h5py
import numpy as np

Path = Union[str, "os.PathLike[str]"]
_BARE_DIMENSION = b"This is a netCDF dimension but not a netCDF variable."


class ContentError(ValueError):
    """The file is not an EOS-1 file, or its numbers are not those that eos wrote."""


def is_bare_dimension(dataset: h5py.Dataset) -> bool:
    """A dimension without coordinate: netCDF-4 marks its scale."""
    return bytes(dataset.attrs.get("NAME", b"")).startswith(_BARE_DIMENSION)


def dimensions_of(name: str, dataset: h5py.Dataset) -> list[str]:
    """Names of the dimensions of a variable, without their groups."""
    if h5py.h5ds.is_scale(dataset.id):
        return [name]
    return [dim[0].name.rsplit("/", 1)[-1] for dim in dataset.dims]


def _variable(name: str, dataset: h5py.Dataset) -> Iterator[bytes]:
    text = h5py.check_string_dtype(dataset.dtype) is not None
    kind = "str" if text else dataset.dtype.newbyteorder("=").str.lstrip("<>|=")
    dims = "".join(f" {dim}={size}" for dim, size in zip(dimensions_of(name, dataset), dataset.shape))
    yield f"variable {name} {kind}{dims}\n".encode()
    if text:
        for value in np.asarray(dataset[()], dtype=object).ravel():
            raw = value if isinstance(value, bytes) else str(value).encode()
            yield str(len(raw)).encode() + b":" + raw
    else:
        values = np.asarray(dataset[()])
        yield np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _group(path: str, group: h5py.Group) -> Iterator[bytes]:
    yield f"group {path}/\n".encode()
    for name in sorted(group):
        if isinstance(group[name], h5py.Dataset) and not is_bare_dimension(group[name]):
            yield from _variable(name, group[name])
    for name in sorted(group):
        if isinstance(group[name], h5py.Group) and name != "provenance":
            yield from _group(f"{path}/{name}", group[name])


def content_sha256(path: Path) -> str:
    """The hash of what the file holds now, 64 hex digits."""
    digest = hashlib.sha256()
    with h5py.File(path, "r") as file:
        for piece in _group("", file):
            digest.update(piece)
    return digest.hexdigest()


def verify(path: Path) -> None:
    """Raises ContentError unless the file is an EOS-1 file and holds the numbers that eos wrote."""
    try:
        with h5py.File(path, "r") as file:
            conventions = str(file.attrs.get("Conventions", ""))
            stored = str(file.attrs.get("content_sha256", ""))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ContentError(f"{os.fspath(path)} is not an HDF5 file, or it is damaged: {error}") from error
    if "EOS-1" not in conventions:
        raise ContentError(f"{os.fspath(path)} was not written by eos: Conventions is {conventions!r}")
    try:
        found = content_sha256(path)
    except (OSError, KeyError, RuntimeError) as error:
        raise ContentError(f"{os.fspath(path)} is damaged: {error}") from error
    if found != stored:
        raise ContentError(f"the numbers in {os.fspath(path)} are not those that eos wrote: hash {found}, stored {stored}")
