"""What the tests of schedulers share: the program, a small sweep, and its result when one process does all the work."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

SKIPPED = 77  # ctest shows a test that ends with this code as skipped
EOS = os.environ["EOS_PROGRAM"]
SWEEP = pathlib.Path(__file__).with_name("sweep.toml")
REFERENCE = pathlib.Path(os.environ["EOS_WORK"], "local.h5")  # made by local.py
# Small chunks, so that there are several. Their number depends on the machine, results do not.
PLANNED = ("--chunk-minutes", "0.02")
MPI_ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def skip_when(reason):
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)


def without(program, package):
    return None if shutil.which(program) else f"{program} not found (package {package})"


def without_mpi():
    if os.environ["EOS_HAVE_MPI"].upper() not in ("1", "ON", "TRUE"):
        return "this build has no MPI (package libopenmpi-dev)"
    return without("mpirun", "openmpi-bin")


def mpirun(processes):
    return ["mpirun", "--oversubscribe", "-n", str(processes)]


def run(*words, code=0, environment=None):
    """Runs a program that must end with this exit code; its stdout, and stderr after it."""
    said = subprocess.run([str(word) for word in words], env=environment, text=True, capture_output=True)
    if said.returncode != code:
        raise AssertionError(f"{' '.join(map(str, words))}: exit code {said.returncode}, not {code}\n{said.stdout}{said.stderr}")
    return said.stdout + (said.stderr if code != 0 else "")


def eos(*words, code=0, environment=None):
    return run(EOS, *words, "--progress", "none", code=code, environment=environment)


def eos_json(*words, environment=None):
    return json.loads(eos(*words, "--format", "json", environment=environment))


def chunks(folder):
    return json.loads((folder / "plan.json").read_text())["chunks"]


def finished_chunks(folder):
    return sorted(int(path.stem.split("-")[1]) for path in (folder / "chunks").glob("chunk-??????.h5"))


def assert_same_as_local(folder):
    """All chunks are there, nothing is left half done, and the merged file has the content of the local run's."""
    assert finished_chunks(folder) == list(range(len(chunks(folder)))), finished_chunks(folder)
    # Journals and checkpoints; the news of a process that was killed stays, and everybody sees that it is dead.
    left = [path.name for path in (folder / "open").iterdir() if path.suffix != ".json"]
    assert not left, left
    merged = folder / "merged.h5"
    eos("merge", folder, "-o", merged)
    assert eos_json("diff", merged, REFERENCE)["same_hash"]


def wait_until(condition, seconds, what):
    """What `condition` returns, as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what() if callable(what) else what} within {seconds} s")
        time.sleep(0.1)
    return found
