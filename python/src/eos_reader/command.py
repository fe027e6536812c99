"""Run the eos program from a notebook."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess


class CommandError(RuntimeError):
    """eos refused or failed; the text is its own message, with the remedy."""


def program() -> str:
    """Path of the eos program: $EOS_PROGRAM, then PATH, then the newest build of the source folder this package is in.

    Raises FileNotFoundError when there is none.
    """
    named = os.environ.get("EOS_PROGRAM") or shutil.which("eos")
    if named:
        return named
    built = pathlib.Path(__file__).resolve().parents[3].glob("build/*/cli/eos")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise FileNotFoundError("no eos program: build it, put it on PATH, or set EOS_PROGRAM to its path")
    return str(newest)


def eos(*arguments: object) -> str:
    """Runs ``eos ARGUMENTS`` in the current folder and returns what it prints on stdout.

    ``eos("plan", "problem.toml", "--sweep", "price.sample=1e-4:1e-1:7:log", "-o", "sweep.h5")``. Raises CommandError
    with the program's own message when it ends with anything but 0.
    """
    words = [program(), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "EOS_PROGRESS": "none"}, check=False)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(words)} ended with {done.returncode}\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
