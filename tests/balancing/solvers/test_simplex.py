import numpy as np
import pytest

from mtbalance.balancing.solvers.simplex import project_on_simplex


@pytest.mark.parametrize(
    ("point", "nearest"),
    [([0.2, 0.8], [0.2, 0.8]), ([2.0, 0.0], [1, 0]), ([0.6, 0.6], [0.5, 0.5]), ([-1.0, 0.3, 0.1], [0, 0.6, 0.4])],
)
def test_by_hand(point, nearest):
    np.testing.assert_allclose(project_on_simplex(np.array(point)), nearest, atol=1e-15)


def test_no_point_of_the_simplex_is_nearer():
    generator = np.random.default_rng(0)
    for _ in range(50):
        point = generator.normal(size=6)
        nearest = project_on_simplex(point)
        others = generator.dirichlet(np.ones(6), size=200)
        assert nearest.min() >= 0 and abs(nearest.sum() - 1) < 1e-12
        assert np.linalg.norm(point - nearest) <= np.linalg.norm(point - others, axis=1).min() + 1e-12


@pytest.mark.parametrize("scale", [1e-300, 1e20, 1e300])
def test_points_far_away_have_a_nearest_one_too(scale):
    np.testing.assert_allclose(project_on_simplex(scale * np.array([-3.0, -1.0, -2.0])).sum(), 1)
