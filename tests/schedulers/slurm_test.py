"""Sweeps as job arrays of a real Slurm with two nodes: one dies, one is told that its time is up, the result is the same."""

import pathlib
import re
import sys
import tempfile
import time
import unittest

import cluster
import support
from support import PLANNED, SWEEP, eos, eos_json, finished_chunks, wait_until

CLUSTER = None
MAX_ARRAY_SIZE = 2  # fewer than chunks, so that a task has several: one for each node, busy for seconds


class Slurm(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="eos-sweep-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name, "it's 5% of a sweep")  # names that need quotes

    def submit(self, *words):
        said = eos_json("sweep", "submit", SWEEP, "-o", self.folder, "--slurm", *PLANNED, *words,
                        environment=CLUSTER.environment)
        self.addCleanup(CLUSTER.run, "scancel", said["job"], check=False)
        self.job = said["job"]
        return said

    def tasks(self):
        """Task -> (state, node) of the job."""
        return {int(task): state for (job, task), state in CLUSTER.tasks().items() if job == self.job}

    def log(self, task):
        path = self.folder / "log" / f"{self.job}_{task}.txt"
        return path.read_text() if path.exists() else ""

    def at_work(self, count):
        """Node -> task of those that run, when they are so many and the eos of each has reported to the folder."""
        running = {node: task for task, (state, node) in self.tasks().items() if state == "RUNNING"}
        reports = list((self.folder / "open").glob("*.json"))
        return running if len(running) >= count and len(reports) >= len(running) else None

    def all_completed(self):
        return all(state == "COMPLETED" for state, _ in self.tasks().values())

    def assert_all_complete_within(self, seconds):
        wait_until(self.all_completed, seconds, lambda: f"end of {self.tasks()}")

    def test_a_dead_node_and_a_notice_change_nothing(self):
        said = self.submit()
        self.assertLessEqual(said["tasks"], MAX_ARRAY_SIZE)
        self.assertEqual(said["chunks"], len(support.chunks(self.folder)))
        working = wait_until(lambda: self.at_work(2), 60, "tasks on both nodes")
        doomed, told = working["n1"], working["n2"]
        # What Slurm sends before the time limit, to the script alone; only its moment is ours.
        CLUSTER.run("scancel", "--batch", "--signal=USR1", f"{self.job}_{told}")
        CLUSTER.kill("n1")
        wait_until(lambda: "state saved; queued again" in self.log(told), 30, "saved state")
        wait_until(lambda: CLUSTER.node_states()["n1"].startswith("down"), 30, "notice of the dead node")
        CLUSTER.start_node("n1")
        self.assert_all_complete_within(240)
        for task in (doomed, told):
            self.assertIn("start 2", self.log(task))
        support.assert_same_as_local(self.folder)

    def test_a_cancelled_sweep_is_saved_and_the_rest_submitted_again(self):
        self.submit("--chunks-per-task", "2")
        wait_until(lambda: len(finished_chunks(self.folder)) >= 2 and self.at_work(1), 60, "finished chunks")
        CLUSTER.run("scancel", self.job)
        wait_until(lambda: all(state == "CANCELLED" for state, _ in self.tasks().values() if state != "COMPLETED"), 30,
                   lambda: f"end of {self.tasks()}")
        done = {chunk: (self.folder / "chunks" / f"chunk-{chunk:06d}.h5").stat().st_mtime_ns
                for chunk in finished_chunks(self.folder)}
        again = self.submit()
        self.assertEqual(again["chunks"], len(support.chunks(self.folder)) - len(done))
        self.assert_all_complete_within(240)
        support.assert_same_as_local(self.folder)
        for chunk, time_ns in done.items():  # not made again
            self.assertEqual((self.folder / "chunks" / f"chunk-{chunk:06d}.h5").stat().st_mtime_ns, time_ns)

    def test_slurm_is_quoted_when_it_refuses(self):
        said = eos("sweep", "submit", SWEEP, "-o", self.folder, "--slurm", "--partition", "nowhere", code=3,
                   environment=CLUSTER.environment)
        self.assertIn("E308", said)
        self.assertIn("invalid partition", said)


if __name__ == "__main__":
    support.skip_when(cluster.why_not())
    with cluster.Cluster(nodes=2, cpus=1, max_array_size=MAX_ARRAY_SIZE) as CLUSTER:
        good = unittest.main(exit=False).result.wasSuccessful()
        if not good:
            CLUSTER.print_logs()
    sys.exit(not good)
