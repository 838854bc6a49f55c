import numpy as np
import pytest

from matrices import gram, random_rows
from mtbalance.balancing.rules.krum import Krum


def weights(rows: np.ndarray, **options) -> np.ndarray:
    return Krum(len(rows), **options).weights(gram(rows), np.ones(len(rows)))


def test_by_hand():
    """On a line at 0, 1, 3, 4.5, 100: the squares to two neighbors sum to 10, 5, 6.25, 14.5 and many."""
    line = np.array([[0.0], [1], [3], [4.5], [100]])
    np.testing.assert_allclose(weights(line, apart=1), [0, 5, 0, 0, 0])
    np.testing.assert_allclose(weights(line, apart=1, selected=2), [0, 2.5, 2.5, 0, 0])
    # with three neighbors: 0, 1, 3, 4.5 have 1 + 9 + 20.25, 1 + 4 + 12.25, 2.25 + 4 + 9, 2.25 + 12.25 + 20.25
    np.testing.assert_allclose(weights(line), [0, 0, 5, 0, 0])


@pytest.mark.parametrize("selected", [1, 2, 3])
def test_rows_that_stand_apart_have_no_say(selected):
    for seed in range(20):
        rows = random_rows(6, seed)
        rows[1:5] = rows[0] + 0.1 * rows[1:5]
        rows[5] *= 1e3
        moved = rows.copy()
        moved[5] = -2 * rows[5]
        found = weights(rows, apart=1, selected=selected)
        assert found[5] == 0 and np.isclose(found.sum(), 6)
        np.testing.assert_array_equal(weights(moved, apart=1, selected=selected), found)


def test_a_common_shift_of_all_rows_changes_no_weight():
    for seed in range(20):
        rows = random_rows(5, seed)
        np.testing.assert_array_equal(weights(rows + 3, selected=2), weights(rows, selected=2))


def test_all_selected_is_the_sum():
    np.testing.assert_allclose(weights(random_rows(5, 0), apart=2, selected=5), np.ones(5))


def test_rows_of_equal_score_share_their_places():
    np.testing.assert_allclose(weights(np.eye(4), selected=3), np.ones(4))
    rows = np.array([[1.0, 0], [1, 0], [1, 0], [5, 5]]).astype(np.float32).astype(float)
    np.testing.assert_allclose(weights(rows, selected=2), [4 / 3, 4 / 3, 4 / 3, 0])
    np.testing.assert_allclose(weights(random_rows(2, 0)), np.ones(2))
