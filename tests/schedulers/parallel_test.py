"""Sweeps under GNU parallel, by the command that eos prints."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

import support
from support import PLANNED, SWEEP, eos_json, finished_chunks, run, wait_until


class Parallel(unittest.TestCase):
    def test_stopped_and_started_again_it_gives_the_same(self):
        with tempfile.TemporaryDirectory(prefix="eos-sweep-") as place:
            folder = pathlib.Path(place, "it's a sweep")  # a name that needs quotes, twice
            command = eos_json("sweep", "submit", SWEEP, "-o", folder, "--parallel", "--jobs", "2", *PLANNED)["command"]
            process = subprocess.Popen(["sh", "-c", "exec " + command], stdout=subprocess.DEVNULL)
            wait_until(lambda: len(finished_chunks(folder)) >= 1, 60, "finished chunk")
            process.send_signal(signal.SIGTERM)  # once: no new chunks
            process.send_signal(signal.SIGTERM)  # twice: end the present ones
            process.wait()
            before = finished_chunks(folder)
            run("sh", "-c", command)
            self.assertLess(len(before), len(support.chunks(folder)))
            support.assert_same_as_local(folder)


if __name__ == "__main__":
    support.skip_when(support.without("parallel", "parallel"))
    unittest.main()
