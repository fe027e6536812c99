"""The pictures of the C++ plots: size, palette, clean margins; and the matplotlib style with the same palette."""
import eos_reader
import numpy as np
import pytest

plt_image = pytest.importorskip("matplotlib.image")


def colours(image):
    return np.round(image[..., :3] * 255).astype(int).reshape(-1, 3)


def rgb(code):
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)])


def test_the_picture_uses_the_palette_and_keeps_its_margins_clean(samples):
    image = plt_image.imread(samples / "figure.png")
    height, width = image.shape[:2]
    assert width > 1600 and height > 600  # two panels, two pixels per point
    pixels = colours(image)
    for index in range(3):  # three lines; the bars use the first two again
        distance = np.abs(pixels - rgb(eos_reader.PALETTE[index])).max(axis=1)
        assert (distance <= 2).sum() > 500, eos_reader.PALETTE[index]
    for edge in (image[:16], image[-16:], image[:, :16], image[:, -16:]):
        assert (edge[..., :3] == 1).all()  # nothing is cut off


def test_stacked_bars_have_the_heights_of_their_values(samples):
    image = plt_image.imread(samples / "figure.png")
    right = image[:, image.shape[1] // 2 :, :3]
    count = lambda code: (np.abs(np.round(right * 255) - rgb(code)).max(axis=2) <= 2).sum()
    # forward: 1 + 0.5, write: 3 + 0.25; the legend's blocks are small beside the bars
    assert count(eos_reader.PALETTE[1]) / count(eos_reader.PALETTE[0]) == pytest.approx(3.25 / 1.5, rel=0.05)


def test_matplotlib_can_draw_in_the_same_style(samples, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    eos_reader.use_style()
    run = eos_reader.open(samples / "dense.h5")
    figure, axes = plt.subplots()
    axes.plot(run.epoch, run.energy.mean("replica"))
    axes.set_ylabel(eos_reader.label(run.energy))
    assert axes.get_ylabel() == "modelled energy (J)"
    assert eos_reader.label(run.test_accuracy) == "share of test samples classified correctly"
    assert axes.lines[0].get_color() == eos_reader.PALETTE[0]
    figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
