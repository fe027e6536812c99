#!/usr/bin/env python3
"""Checks that every room includes only the rooms below it, and keeps heavy third-party headers out of public headers."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAY_USE = {
    "core": set(),
    "theory": {"core"},
    "solvers": {"core", "theory"},
    "kernels": {"core", "theory"},
    "sim": {"core", "theory", "kernels"},
    "io": {"core", "theory"},
    "cli": {"core", "theory", "solvers", "kernels", "sim", "io"},
}
HEAVY_IN_HEADERS = re.compile(r"(thrust/|CLI/|nlohmann/|boost/|Eigen/|hdf5|toml\+\+|cub/|cuda|dnnl|cairo|curl/)")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def problems():
    for room, allowed in MAY_USE.items():
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix not in {".hpp", ".cpp", ".cu", ".cuh", ".inl"}:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                header = found.group(1)
                place = f"{path.relative_to(ROOT)}:{number}"
                other = re.match(r"eos/(\w+)/", header)
                if other and other.group(1) != room and other.group(1) not in allowed:
                    yield f"{place}: {room} may not include {header}"
                if "include" in path.parts and HEAVY_IN_HEADERS.match(header):
                    yield f"{place}: public header includes {header}; keep it in a .cpp file"


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) if found else "layers: every include points downwards")
    sys.exit(bool(found))
