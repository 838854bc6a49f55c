import numpy as np

from matrices import J2, gram
from mtbalance.rules.nash import Nash


def test_without_a_bargain_the_last_weights_stay_and_are_counted():
    rule = Nash(2)
    first = rule.weights(gram(J2), np.ones(2))
    opposed = gram(np.array([[1.0, 1], [-1, -1]]))
    np.testing.assert_array_equal(rule.weights(opposed, np.ones(2)), first)
    assert rule.diagnostics["fallbacks"] == 1


def test_a_task_without_a_gradient_does_not_bargain():
    rule = Nash(3)
    rows = np.vstack([J2, np.zeros(3)])
    np.testing.assert_allclose(rule.weights(gram(rows), np.ones(3)), [0.5914611522, 0.4070714829, 1.0])
    assert rule.diagnostics["fallbacks"] == 0


def test_the_joint_row_is_as_long_as_the_root_of_the_number_of_tasks():
    joint = Nash(2).weights(gram(J2), np.ones(2)) @ J2
    np.testing.assert_allclose(joint, [0.0765842884, 0.9985326351, 0.9985326351], rtol=1e-8)
    np.testing.assert_allclose(joint @ joint, 2)
