"""A plot style: the palette of eos's own pictures (Okabe & Ito, distinguishable with every kind of colour vision)."""

from __future__ import annotations

import xarray as xr

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#404045", "#F0E442")


def use_style() -> None:
    """Makes matplotlib draw like eos: palette, light grid, no frame on top and at the right."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({
        "axes.prop_cycle": plt.cycler(color=PALETTE),
        "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#E0E0E6", "grid.linewidth": 0.7,
        "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
        "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlesize": 11,
        "lines.linewidth": 1.7, "lines.markersize": 5, "legend.frameon": False, "legend.fontsize": 9,
        "figure.dpi": 110, "savefig.dpi": 200, "savefig.bbox": "tight", "font.size": 10,
    })


def label(variable: xr.DataArray) -> str:
    """Axis label from a variable's attributes: "energy (J)"."""
    name = str(variable.attrs.get("long_name") or variable.name)
    units = str(variable.attrs.get("units", "1"))
    return name if units in ("", "1") else f"{name} ({units})"
