import torch

from mtbalance.models.ranking._fields import Fields
from mtbalance.models.ranking._layers import Experts, Gate, Perceptron
from mtbalance.models.ranking._options import RankingShape, RankingSizes

PLAIN = RankingSizes(embedding=2, expert=[4], tower=[3], dropout=0.0, batch_norm=False)


def test_experts_together_are_perceptrons_apart():
    torch.manual_seed(0)
    experts = Experts(3, 5, [4, 6], PLAIN)
    inputs = torch.randn(7, 5)
    together = experts(inputs)
    for number in range(3):
        alone = Perceptron(5, [4, 6], PLAIN)
        first, second = alone[0], alone[2]
        first.weight.data = experts.first.weight.data.unflatten(0, (3, 4))[number]
        first.bias.data = experts.first.bias.data.unflatten(0, (3, 4))[number]
        second.weight.data = experts.deeper[0].weight.data[number].T
        second.bias.data = experts.deeper[0].bias.data.unflatten(0, (3, 6))[number]
        torch.testing.assert_close(together[number].T, alone(inputs))


def test_a_gate_mixes_by_shares_that_sum_to_one():
    gate = Gate(2, 3)
    gate.scores.weight.data.zero_()
    gate.scores.bias.data = torch.tensor([0.0, 0.0, 1e4])
    experts = torch.randn(3, 4, 5)
    torch.testing.assert_close(gate(torch.randn(5, 2), experts), experts[2].T)


def test_every_column_has_embeddings_of_its_own():
    fields = Fields(RankingShape([2, 3], 0, 1), PLAIN)
    fields.table.weight.data = torch.arange(10.0).view(5, 2)
    found = fields(torch.tensor([[1, 0], [0, 2]]), torch.empty(2, 0))
    torch.testing.assert_close(found, torch.tensor([[2.0, 3, 4, 5], [0, 1, 8, 9]]))
