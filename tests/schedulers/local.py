"""The sweep of these tests in one process on one thread: what the others are compared with."""

import shutil

from support import PLANNED, REFERENCE, SWEEP, eos

folder = REFERENCE.with_suffix("")
shutil.rmtree(folder, ignore_errors=True)
REFERENCE.unlink(missing_ok=True)
eos("sweep", SWEEP, "-o", folder, "--threads", "1", *PLANNED)
eos("merge", folder, "-o", REFERENCE)
