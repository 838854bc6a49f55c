import numpy as np
import pytest

from mtbalance.balancing.rules.scale_invariant import ScaleInvariant


def test_a_task_on_another_scale_pulls_as_before():
    losses, scales = np.array([0.5, 2.0, 8.0]), np.array([1e-6, 1.0, 1e9])
    weights = ScaleInvariant(3).weights(losses)
    np.testing.assert_allclose(weights, [2, 0.5, 0.125])
    np.testing.assert_allclose(ScaleInvariant(3).weights(scales * losses) * scales, weights)


@pytest.mark.parametrize("loss", [0.0, -1.0])
def test_logarithms_need_positive_losses(loss):
    with pytest.raises(FloatingPointError, match="positive"):
        ScaleInvariant(2).weights(np.array([1.0, loss]))


def test_one_task_is_divided_by_its_loss():
    np.testing.assert_array_equal(ScaleInvariant(1).weights(np.array([4.0])), [0.25])
