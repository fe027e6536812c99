"""Sweeps under mpirun: every chunk once, the result that of one process."""

import pathlib
import tempfile
import unittest

import support
from support import EOS, MPI_ENVIRONMENT, PLANNED, SWEEP, eos_json, mpirun, run


class Mpi(unittest.TestCase):
    def test_any_number_of_processes_gives_the_same(self):
        for processes in (2, 4):
            with self.subTest(processes=processes), tempfile.TemporaryDirectory(prefix="eos-sweep-") as place:
                folder = pathlib.Path(place, "sweep")
                run(*mpirun(processes), EOS, "sweep", SWEEP, "-o", folder, "--mpi", "--threads", "1", *PLANNED,
                    environment=MPI_ENVIRONMENT)
                support.assert_same_as_local(folder)

    def test_a_mistake_is_told_once_and_nobody_waits(self):
        said = run(*mpirun(3), EOS, "sweep", "/no/such/sweep.toml", "-o", "/tmp/never", "--mpi", code=2,
                   environment=MPI_ENVIRONMENT)
        self.assertEqual(said.count("error[E201]"), 1)

    def test_the_command_is_printed(self):
        with tempfile.TemporaryDirectory(prefix="eos-sweep-") as place:
            command = eos_json("sweep", "submit", SWEEP, "-o", place, "--mpi", "--jobs", "3", *PLANNED)["command"]
            self.assertEqual(command, f"mpirun -n 3 {EOS} sweep {place} --mpi --threads 1")


if __name__ == "__main__":
    support.skip_when(support.without_mpi())
    unittest.main()
