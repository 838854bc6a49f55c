import numpy as np
import pytest

from mtbalance.data import DataError
from mtbalance.data.ranking.hash_split import assign, hash_integers, hash_texts


def test_integers_are_mixed_as_splitmix64_does():
    # the first outputs of the published generator from state 0
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [int(hash_integers(np.array([0]), seed)[0]) for seed in range(3)] == published


def test_shares_are_met_and_seeds_give_independent_splits():
    values = np.arange(100_000)
    parts = [assign(hash_integers(values, seed), [0.6, 0.2, 0.2]) for seed in (0, 1)]
    for part in parts:
        assert np.bincount(part) / 1e5 == pytest.approx([0.6, 0.2, 0.2], abs=0.01)
    assert np.mean(parts[0] == parts[1]) == pytest.approx(0.6**2 + 2 * 0.2**2, abs=0.01)


def test_a_share_of_zero_gets_nothing_and_shares_are_relative():
    hashes = hash_integers(np.arange(10_000), 0)
    assert set(assign(hashes, [0.0, 1.0, 0.0])) == {1}
    assert (assign(hashes, [0.1, 0.1]) == assign(hashes, [0.5, 0.5])).all()


def test_no_share_at_all_is_refused():
    with pytest.raises(DataError, match="sum to zero"):
        assign(hash_integers(np.arange(3), 0), [0.0, 0.0])


def test_equal_texts_have_equal_hashes_that_depend_on_the_seed():
    first, second, other = hash_texts(["ä", "ä", "b"], 0)
    assert first == second != other
    assert hash_texts(["ä"], 1)[0] != first
