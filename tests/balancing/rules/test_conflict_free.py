import numpy as np
import pytest

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.rules.conflict_free import ConFIG
from mtbalance.balancing.rules.imtl_g import IMTLG


def joint(rows: np.ndarray) -> np.ndarray:
    return ConFIG(len(rows)).weights(gram(rows), np.ones(len(rows))) @ rows


def test_orthogonal_rows_by_hand():
    """u = (1, 1, 1) / sqrt(3), and the rows' lengths along it add up to (1 + 2 + 4) / sqrt(3)."""
    np.testing.assert_allclose(joint(ORTHOGONAL), np.full(3, 7 / 3))


@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(6, 0, scale=2)], ids=["J2", "J3", "J3c", "six"])
def test_its_cosines_with_all_rows_are_equal_and_it_is_as_long_as_the_rows_along_it(rows):
    found = joint(rows)
    along = rows @ found / np.linalg.norm(found)
    cosines = along / np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-6)
    assert cosines[0] > 0
    np.testing.assert_allclose(np.linalg.norm(found), along.sum())


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_pseudoinverse_of_the_unit_rows(seed):
    rows = random_rows(4, seed)
    direction = np.linalg.pinv(rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ np.ones(4)
    direction /= np.linalg.norm(direction)
    np.testing.assert_allclose(joint(rows), (rows @ direction).sum() * direction)


def test_the_direction_is_that_of_imtl_g_and_the_length_is_not():
    found, other = joint(J3C), IMTLG(3).weights(gram(J3C), np.ones(3)) @ J3C
    np.testing.assert_allclose(found / np.linalg.norm(found), other / np.linalg.norm(other))
    np.testing.assert_allclose(
        joint(ORTHOGONAL) / (IMTLG(3).weights(gram(ORTHOGONAL), np.ones(3)) @ ORTHOGONAL), 49 / 36
    )


def test_the_scale_of_a_task_moves_the_length_alone():
    found, other = joint(J3C), joint(J3C * [[1], [100], [1]])
    np.testing.assert_allclose(found / np.linalg.norm(found), other / np.linalg.norm(other))


def test_opposed_rows_leave_no_direction_and_a_zero_row_weighs_nothing():
    np.testing.assert_array_equal(joint(np.array([[1.0, -2], [-3, 6]])), [0, 0])
    rows = np.array([[0.0, 0], [1, 2], [-1, 3]])
    weights = ConFIG(3).weights(gram(rows), np.ones(3))
    assert weights[0] == 0
    np.testing.assert_allclose(weights[1:] @ rows[1:], joint(rows[1:]))
