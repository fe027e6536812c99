"""Read the files of eos in Python.

Every file opens with ``xarray.open_dataset(path)`` and nothing from here. This package adds what a notebook wants besides:
a check that the numbers are those that were written, all groups at once, energies under other prices, the analysis of
sweeps, a plot style, and a way to run the program.

    import eos_reader
    run = eos_reader.open("dense.h5")
    eos_reader.energy_at_accuracy(run, 0.85)
    eos_reader.eos("plan", "problem.toml", "--sweep", "problem.horizon=10:80:8", "-o", "plans.h5")
    eos_reader.energy_table({"dense": run, "dbpd": eos_reader.open("dbpd.h5")})

and of sweeps, merged or still running (docs/sweeps.md):

    sweep = eos_reader.open("sweep.h5")                    # or the folder of the sweep
    eos_reader.runs(sweep)                                 # tidy frame, one row a run
    eos_reader.compare_at_target(sweep, 0.8, by="method", baseline="all", prices="hbm2")
    eos_reader.pareto_front(sweep, by=["method", "epochs"])

and of comparisons (docs/evidence.md):

    evidence = eos_reader.evidence("evidence.h5")
    eos_reader.gains(evidence, "mlp-mnist", "hbm2")
"""

from .bootstrap import Interval, bootstrap_seeds, paired_bootstrap
from .command import CommandError, eos, program
from .content import ContentError, content_sha256, verify
from .evidence import evidence, evidence_runs, fronts, gains, scaled_prices
from .files import config, open, provenance, tree
from .pricing import PRICE_KEYS, energy, energy_at_accuracy, energy_table, read_prices, reprice, saving
from .style import PALETTE, label, use_style
from .sweeps import accuracy_at_energy, axes, by_seed, compare_at_target, energy_at_target, last, pareto_front, runs

__version__ = "0.1.0"
__all__ = [
    "CommandError", "ContentError", "Interval", "PALETTE", "PRICE_KEYS", "accuracy_at_energy", "axes", "bootstrap_seeds", "by_seed",
    "compare_at_target", "config", "content_sha256", "energy", "energy_at_accuracy", "energy_at_target", "energy_table", "eos", "evidence",
    "evidence_runs", "fronts", "gains", "label", "last", "open", "paired_bootstrap", "pareto_front", "program", "provenance", "read_prices", "reprice", "runs", "saving",
    "scaled_prices",    "tree", "use_style", "verify",
]
