"""The work counter of mpirun: every chunk exactly once, for any number of processes and over any network."""

import collections
import os
import re
import subprocess
import unittest

import support

PROBE = os.environ.get("EOS_COUNTER_PROBE", "")


def chunks_by_rank(processes, chunks, milliseconds, *words, value=0):
    """Which rank had which chunks, the largest of the values as each rank has it, and the ranks on this machine."""
    said = subprocess.run([*support.mpirun(processes), *words, PROBE, str(chunks), str(milliseconds), str(value)],
                          env=support.MPI_ENVIRONMENT, text=True, capture_output=True, timeout=120)
    if said.returncode != 0:
        raise AssertionError(said.stdout[-500:] + said.stderr)
    had = collections.defaultdict(list)
    for rank, size, chunk in re.findall(r"rank (\d+) of (\d+) had (\d+)", said.stdout):
        assert int(size) == processes
        had[int(rank)].append(int(chunk))
    here = re.findall(r"(\d+) of (\d+) here", said.stdout)
    assert all(int(size) == processes for _, size in here)
    return had, [int(largest) for largest in re.findall(r"largest (\d+)", said.stdout)], sorted(int(rank) for rank, _ in here)


class Counter(unittest.TestCase):
    def test_every_chunk_goes_to_one_process(self):
        for processes in (1, 2, 4):
            with self.subTest(processes=processes):
                had, largest, here = chunks_by_rank(processes, 200, 0, value=4)
                self.assertEqual(sorted(sum(had.values(), [])), list(range(200)))
                self.assertEqual(here, list(range(processes)))
                self.assertEqual(largest, [4 if processes > 1 else 0] * processes)

    def test_over_a_network_without_remote_atomics_others_get_chunks_while_the_first_computes(self):
        # Plain TCP: rank 0 has to answer from within MPI. Were that only in its own calls, a second apart, it would do
        # all the work alone.
        had, _, _ = chunks_by_rank(2, 6, 1000, "--mca", "btl", "tcp,self", "--mca", "osc", "^sm")
        self.assertEqual(sorted(sum(had.values(), [])), list(range(6)))
        self.assertGreaterEqual(len(had[1]), 2)


if __name__ == "__main__":
    support.skip_when(support.without_mpi())
    unittest.main()
