import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C
from mtbalance.balancing.rules.graddrop import GradDrop


def drops(rows: np.ndarray, times: int = 4000, **options) -> np.ndarray:
    rule = GradDrop(len(rows), **options)
    return np.array([rule.combine([torch.tensor(rows)], None)[0][0].numpy() for _ in range(times)])


def test_each_coordinate_is_all_of_one_sign_with_the_right_chance():
    drawn = drops(J2)
    assert set(drawn[:, 0]) == {6.0, -4.0} and (drawn[:, 1:] == 2).all()
    np.testing.assert_allclose((drawn[:, 0] == 6).mean(), 0.6, atol=0.03)
    np.testing.assert_allclose((drops(J3)[:, 0] == 3).mean(), 0.75, atol=0.03)


def test_the_mean_is_the_sum_of_rows():
    np.testing.assert_allclose(drops(J3C).mean(axis=0), J3C.sum(axis=0), atol=0.1)


def test_a_leak_of_one_drops_nothing_and_half_a_leak_half():
    np.testing.assert_allclose(drops(J2, 10, leak=1.0), np.tile([2.0, 2, 2], (10, 1)))
    assert set(drops(J2, 100, leak=0.5)[:, 0]) == {4.0, -1.0}


def test_a_coordinate_that_is_zero_for_all_stays_zero():
    assert (drops(np.zeros((2, 3)), 5) == 0).all()


def test_one_task_passes_unchanged():
    np.testing.assert_array_equal(drops(np.array([[1.0, -2, 0]]), 5), np.tile([1.0, -2, 0], (5, 1)))


def test_heads_weigh_one():
    np.testing.assert_array_equal(GradDrop(2).combine([torch.tensor(J2)], None)[1], [1, 1])


def test_a_seed_means_the_numbers_of_torchs_generator_in_the_rows_precision():
    rows = torch.randn(3, 1000, generator=torch.Generator().manual_seed(1))
    rule = GradDrop(3)
    rule.seed(7)
    source = torch.Generator().manual_seed(7)
    for _ in range(3):
        chance = (1 + rows.sum(dim=0) / rows.abs().sum(dim=0)) / 2
        positive = torch.rand(1000, generator=source) < chance
        expected = torch.where(positive, rows.clamp(min=0).sum(dim=0), rows.clamp(max=0).sum(dim=0))
        torch.testing.assert_close(rule.combine([rows], None)[0][0], expected, rtol=0, atol=0)


@pytest.mark.parametrize("rare", [2, -2])
def test_rows_in_half_precision_have_the_chances_of_their_numbers(rare):
    """A chance of 1 / 512 is half of the smallest one that uniform numbers in bfloat16 can give."""
    rows = torch.tensor([[rare], [-511 * rare]], dtype=torch.bfloat16).expand(2, 400_000)
    exact = abs(float(rows[0, 0])) / float(rows[:, 0].abs().float().sum())
    joint = GradDrop(2).combine([rows], None)[0][0]
    assert joint.dtype == torch.bfloat16
    share = float((joint.sign() == np.sign(rare)).double().mean())
    np.testing.assert_allclose(share, exact, rtol=0.15)


def test_a_rule_that_has_not_drawn_yet_hands_on_its_seed():
    rows = torch.tensor(J3C)
    first, second = GradDrop(3), GradDrop(3)
    first.seed(5)
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        torch.testing.assert_close(second.combine([rows], None)[0][0], first.combine([rows], None)[0][0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_rows_on_a_gpu_are_drawn_for_there_and_a_saved_generator_goes_on():
    rows = torch.randn(3, 1000, device="cuda")
    first, second = GradDrop(3), GradDrop(3)
    assert first.combine([rows], None)[0][0].is_cuda and first.state_dict()["device"] == "cuda"
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second.combine([rows], None)[0][0], first.combine([rows], None)[0][0])
