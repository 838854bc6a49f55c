import numpy as np

from mtbalance.balancing.rules.random_weights import RandomWeights


def test_weights_are_positive_sum_to_the_number_of_tasks_and_are_one_on_average():
    rule = RandomWeights(4)
    drawn = np.array([rule.weights(np.ones(4)) for _ in range(20_000)])
    assert (drawn > 0).all()
    np.testing.assert_allclose(drawn.sum(axis=1), 4)
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.03)


def test_logarithms_of_weights_differ_by_standard_normals():
    rule = RandomWeights(2)
    logs = np.log([rule.weights(np.ones(2)) for _ in range(20_000)])
    difference = logs[:, 0] - logs[:, 1]
    np.testing.assert_allclose([difference.mean(), difference.var()], [0, 2], atol=0.06)
