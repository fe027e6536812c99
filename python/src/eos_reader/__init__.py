"""Read the files of eos in Python.

Every file opens with ``xarray.open_dataset(path)`` and nothing from here. This package adds what a notebook wants besides:
a check that the numbers are those that were written, all groups at once, energies under other prices, a plot style, and
a way to run the program.

    import eos_reader
    run = eos_reader.open("dense.h5")
    eos_reader.energy_at_accuracy(run, 0.85)
    eos_reader.eos("plan", "problem.toml", "--sweep", "problem.horizon=10:80:8", "-o", "plans.h5")
    eos_reader.energy_table({"dense": run, "dbpd": eos_reader.open("dbpd.h5")})
"""

from .command import CommandError, eos, program
from .content import ContentError, content_sha256, verify
from .energy import PRICE_KEYS, energy_at_accuracy, energy_table, read_prices, reprice, saving
from .files import config, open, provenance, tree
from .style import PALETTE, label, use_style

__version__ = "0.1.0"
__all__ = [
    "CommandError", "ContentError", "PALETTE", "PRICE_KEYS", "config", "content_sha256", "energy_at_accuracy", "energy_table",
    "eos", "label", "open", "program", "provenance", "read_prices", "reprice", "saving", "tree", "use_style", "verify",
]
