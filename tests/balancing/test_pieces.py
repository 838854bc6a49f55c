import pytest
import torch

from mtbalance.balancing import pieces
from mtbalance.balancing.pieces import in_pieces
from mtbalance.balancing.proposals import build_proposer

OPTIMIZERS = {
    "adam": torch.optim.AdamW,
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adagrad": torch.optim.Adagrad,
}


def test_pieces_are_put_together(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 4)
    seen = []

    def work(like, gradients, moments):
        seen.append(gradients.shape)
        return like + gradients * moments

    like, gradients, moments = torch.randn(3, 5), torch.randn(2, 3, 5), torch.randn(3, 5)
    assert torch.equal(in_pieces(work, like, gradients, moments), like + gradients * moments)
    assert seen == [(2, 4)] * 3 + [(2, 3)]


def test_small_and_strided_tensors_come_whole(monkeypatch):
    like, gradients = torch.randn(3, 5), torch.randn(2, 3, 5)
    assert in_pieces(lambda one, other: other, like, gradients) is gradients
    monkeypatch.setattr(pieces, "PIECE", 4)
    strided = torch.randn(5, 3).T
    assert in_pieces(lambda one, other: other, strided, gradients) is gradients


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_proposals_do_not_depend_on_pieces(monkeypatch, name):
    parameter = torch.nn.Parameter(torch.randn(7, 9, dtype=torch.float64))
    optimizer = OPTIMIZERS[name]([parameter])
    for _ in range(3):
        parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    proposer, gradients = build_proposer(optimizer), [torch.randn(3, 7, 9, dtype=torch.float64)]
    (whole,) = proposer.propose([parameter], gradients)
    monkeypatch.setattr(pieces, "PIECE", 10)
    torch.testing.assert_close(proposer.propose([parameter], gradients)[0], whole, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("before", [0, 3])
def test_a_joint_step_is_a_proposal_taken_and_seen(monkeypatch, name, before):
    start, gradient = torch.randn(7, 9, dtype=torch.float64), torch.randn(7, 9, dtype=torch.float64)
    found = []
    for at_once in (False, True):  # whole, then in pieces
        torch.manual_seed(0)
        parameter = torch.nn.Parameter(start.clone())
        optimizer = OPTIMIZERS[name]([parameter])
        for _ in range(before):
            parameter.grad = torch.randn_like(parameter)
            optimizer.step()
        proposer = build_proposer(optimizer)
        if at_once:
            proposer.take_joint({parameter: gradient}, total=1.0)
        else:
            updates = proposer.propose([parameter], [gradient.unsqueeze(0)], delayed=True)
            proposer.take([parameter], [updates[0][0]], lambda _: gradient)
        found.append((parameter.detach(), optimizer.state_dict()["state"]))
        monkeypatch.setattr(pieces, "PIECE", 10)
    torch.testing.assert_close(*found, rtol=1e-14, atol=1e-16)
