"""Intervals over seeds: against enumeration, Student's formula and scipy, and how often they are wrong."""
import itertools

import eos_reader
import numpy as np
import pandas as pd
import pytest
import xarray as xr

stats = pytest.importorskip("scipy.stats")

A = np.array([1.3, 2.1, 1.7, 2.9, 2.2, 1.1])
B = np.array([1.0, 1.9, 1.9, 2.2, 2.5, 0.7])


def test_the_percentile_interval_is_that_of_all_resamples():
    every = np.array(list(itertools.product(range(6), repeat=6)))
    ratios = A[every].mean(1) / B[every].mean(1)
    found = eos_reader.paired_bootstrap(A, B, method="percentile", confidence=0.9, resamples=20000)
    assert found.estimate == pytest.approx(A.mean() / B.mean(), rel=1e-14)
    # 20000 draws know the shares of the tails to 0.05 * sqrt(0.95/0.05/20000) = 0.0015; five of them
    for limit, share in ((found.low, 0.05), (found.high, 0.95)):
        assert np.quantile(ratios, share - 0.008) <= limit <= np.quantile(ratios, share + 0.008)


def test_bca_is_scipys_on_the_pairs_themselves():
    difference = lambda x, y, axis=-1: x.mean(axis=axis) - y.mean(axis=axis)
    direct = stats.bootstrap((A, B), difference, paired=True, vectorized=True, method="BCa", n_resamples=9999,
                             random_state=np.random.default_rng(1)).confidence_interval
    found = eos_reader.paired_bootstrap(A, B, statistic="difference")
    np.testing.assert_allclose((found.low, found.high), (direct.low, direct.high), rtol=1e-12)


def test_the_t_interval_of_a_difference_is_students():
    found = eos_reader.paired_bootstrap(A, B, statistic="difference", method="t", confidence=0.99)
    half = stats.t.ppf(0.995, 5) * np.std(A - B, ddof=1) / np.sqrt(6)
    np.testing.assert_allclose((found.low, found.high), ((A - B).mean() - half, (A - B).mean() + half), rtol=1e-12)
    assert found.excludes(0) == (stats.ttest_rel(A, B).pvalue < 0.01)


def test_the_t_interval_of_a_ratio_is_that_of_its_logarithm_when_spread_is_small():
    rng = np.random.default_rng(3)
    a, b = np.exp(1e-4 * rng.normal(size=(2, 12)))
    found = eos_reader.paired_bootstrap(a, b, method="t")
    logs = eos_reader.paired_bootstrap(np.log(a), np.log(b), statistic="difference", method="t")
    np.testing.assert_allclose(np.log([found.low, found.high]), [logs.low, logs.high], atol=1e-7)  # spread squared


def test_draws_depend_on_the_stated_seed_alone():
    first, again, other = (eos_reader.paired_bootstrap(A, B, random_seed=s) for s in (1, 1, 2))
    assert first == again and first != other
    assert (first.seeds, first.resamples, first.random_seed, first.method) == (6, 9999, 1, "bca")


def test_pairs_are_found_by_their_seed():
    seeds = [5, 1, 2, 9, 7, 3]
    a = xr.DataArray(A, dims="seed", coords={"seed": seeds})
    order = np.array([3, 0, 5, 1, 4, 2])
    b = pd.Series(B[order], index=np.array(seeds)[order])
    assert eos_reader.paired_bootstrap(a, b, method="t") == eos_reader.paired_bootstrap(A, B, method="t")
    with pytest.raises(ValueError, match="not paired"):
        eos_reader.paired_bootstrap(a, pd.Series(B, index=range(6)))
    with pytest.raises(ValueError, match="several values for one seed"):
        eos_reader.paired_bootstrap(a, pd.Series(B, index=[5, 5, 2, 9, 7, 3]))


def test_what_has_no_spread_is_a_point_and_what_has_no_value_is_unknown():
    assert eos_reader.paired_bootstrap(A, 2 * A).high == pytest.approx(0.5, rel=1e-14)
    unknown = eos_reader.paired_bootstrap(np.append(A, np.nan), np.append(B, 1.0))
    assert np.isnan(unknown.low) and np.isnan(unknown.high) and not unknown.excludes(1)
    with pytest.raises(ValueError, match="at least two seeds"):
        eos_reader.paired_bootstrap([1.0], [2.0])
    with pytest.raises(ValueError, match="'ratio', 'difference'"):
        eos_reader.paired_bootstrap(A, B, statistic="quotient")
    with pytest.raises(ValueError, match="percentile"):
        eos_reader.paired_bootstrap(A, B, method="basic")


@pytest.mark.parametrize("method, seeds, rate", [("t", 5, 0.05), ("bca", 16, 0.083), ("percentile", 16, 0.082), ("bca", 5, 0.157)])
def test_false_alarms_are_as_often_as_stated(method, seeds, rate):
    """Equal means, normal, 10 % spread, correlation 0.5: shares of 3000 trials of another stream of random numbers."""
    rng, trials, alarms = np.random.default_rng(11), 300, 0
    for trial in range(trials):
        common = rng.normal(size=seeds)
        a, b = 1 + 0.1 * np.sqrt(0.5) * (common + rng.normal(size=(2, seeds)))
        alarms += eos_reader.paired_bootstrap(a, b, method=method, resamples=999, random_seed=trial).excludes(1)
    # four standard errors of a share of 300 trials: one run of these four cases in 4000 fails by chance alone
    assert abs(alarms / trials - rate) < 4 * np.sqrt(rate * (1 - rate) / trials)


def test_an_effect_is_found_when_pairs_agree_although_seeds_differ():
    rng = np.random.default_rng(5)
    level = rng.uniform(1, 3, size=8)  # seeds differ by factors, methods by 5 %
    a, b = 0.95 * level * (1 + 0.01 * rng.normal(size=8)), level
    assert eos_reader.paired_bootstrap(a, b).excludes(1)
    shuffled = eos_reader.paired_bootstrap(a, np.roll(b, 1))
    assert not shuffled.excludes(1)  # the same numbers without their pairs
