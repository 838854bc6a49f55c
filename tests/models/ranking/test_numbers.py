import numpy as np
import pytest
import torch

from entries import backbone_class
from mtbalance.errors import UserError
from mtbalance.models.ranking._fields import Fields
from mtbalance.models.ranking._numbers import FREQUENCIES, LinearFields, PeriodicFields, PiecewiseFields
from mtbalance.models.ranking._options import RankingShape, RankingSizes

KINDS = ("linear", "fields", "piecewise", "periodic")
KNOTS = [[-1.0, 0.0, 2.0], [0.5], [float(n) for n in range(30)]]
SHAPE = RankingShape([3, 4], 3, 2, KNOTS)


def sizes(**changes) -> RankingSizes:
    return RankingSizes(embedding=4, expert=[6], tower=[5], dropout=0.0, batch_norm=False, **changes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_encoding_fits_its_backbone_and_uses_every_parameter(kind):
    torch.manual_seed(0)
    model = backbone_class("mmoe")(SHAPE, sizes(numbers=kind), experts=2)
    assert model.fields.width == 4 * (2 + (1 if kind == "linear" else 3))
    ids, numbers = torch.tensor([[0, 1], [2, 3], [1, 0]]), torch.randn(3, 3)
    outputs = model((ids, numbers))
    assert [output.shape for output in outputs] == [(3,), (3,)]
    sum(output.sum() for output in outputs).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_without_a_choice_numbers_are_one_linear_field():
    built = []
    for chosen in ({}, {"numbers": "linear"}):
        torch.manual_seed(0)
        built.append(Fields(SHAPE, sizes(**chosen)))
    inputs = torch.zeros(5, 2, dtype=torch.int32), torch.randn(5, 3)
    assert torch.equal(built[0](*inputs), built[1](*inputs))
    assert isinstance(built[0].numeric, torch.nn.Linear)


def test_a_piecewise_field_begins_as_a_linear_one():
    torch.manual_seed(0)
    bent = PiecewiseFields(KNOTS, 2)
    torch.manual_seed(0)
    straight, numbers = LinearFields(3, 2), torch.randn(9, 3)
    assert torch.equal(bent(numbers), straight(numbers))


def test_a_piecewise_field_is_a_linear_one_and_numpys_interpolation():
    torch.manual_seed(0)
    fields = PiecewiseFields(KNOTS, 2)
    torch.nn.init.normal_(fields.bends.weight)
    numbers = torch.cat(
        [torch.randn(50, 3) * 4, torch.tensor([[-1.0, 0.5, 29.0], [2.0, 0.5, 7.0], [-99.0, 3.0, 99.0]])]
    )
    found = (fields(numbers) - fields.straight(numbers)).unflatten(1, (3, 2)).detach().numpy()
    tables = fields.bends.weight.detach().split([len(knots) for knots in KNOTS])
    for column, (knots, table) in enumerate(zip(KNOTS, tables, strict=True)):
        for unit in range(2):
            expected = np.interp(numbers[:, column].numpy(), knots, table[:, unit].numpy())
            np.testing.assert_allclose(found[:, column, unit], expected, atol=1e-5)


def test_linear_fields_are_separate_linear_layers():
    torch.manual_seed(0)
    fields, numbers = LinearFields(3, 4), torch.randn(7, 3)
    weight, bias = fields.linear.weight.squeeze(1), fields.linear.bias.view(3, 4)
    expected = [numbers[:, [column]] * weight[column] + bias[column] for column in range(3)]
    torch.testing.assert_close(fields(numbers), torch.cat(expected, dim=1))


def test_periodic_fields_are_waves_of_their_own_number():
    torch.manual_seed(0)
    fields, numbers = PeriodicFields(3, 4), torch.randn(7, 3)
    angles = 2 * torch.pi * numbers[:, [1]] * fields.frequencies[1]
    weight, bias = fields.linear.weight[1], fields.linear.bias.view(3, 4)[1]
    expected = torch.relu(torch.cat([angles.sin(), angles.cos()], dim=1) @ weight + bias)
    assert weight.shape == (2 * FREQUENCIES, 4)
    torch.testing.assert_close(fields(numbers)[:, 4:8], expected)


@pytest.mark.parametrize("knots", [(), [[0.0], [], [1.0]]])
def test_data_without_knots_are_to_be_prepared_again(knots):
    with pytest.raises(UserError, match="prepare them again"):
        Fields(SHAPE._replace(knots=knots), sizes(numbers="piecewise"))
