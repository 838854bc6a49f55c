"""Aligned-MTL with TorchJD and with mtbalance: two training loops that end with the same parameters."""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torchjd.aggregation import AlignedMTL
from torchjd.autojac import jac_to_grad, mtl_backward

from mtbalance import Balancer

torch.manual_seed(0)
inputs = torch.randn(512, 8)
prices = 10 * torch.tanh(inputs @ torch.randn(8) / 3)
clicks = torch.bernoulli(torch.sigmoid(inputs @ torch.randn(8)))
trunk, heads = nn.Sequential(nn.Linear(8, 32), nn.ReLU()), nn.ModuleList(nn.Linear(32, 1) for _ in range(2))
model = nn.ModuleList([trunk, heads])


def forward(model, rows):
    """The shared features, and the tasks' losses."""
    trunk, (price, click) = model
    features = trunk(inputs[rows])
    loss = F.mse_loss(price(features)[:, 0], prices[rows])
    return features, [loss, F.binary_cross_entropy_with_logits(click(features)[:, 0], clicks[rows])]


batches = [rows for _ in range(20) for rows in torch.randperm(512).split(64)]

with_torchjd = copy.deepcopy(model)
optimizer = torch.optim.AdamW(with_torchjd.parameters(), lr=1e-2)
aggregator = AlignedMTL(torch.ones(2))  # a sum over tasks, as in mtbalance; the default is a mean
for rows in batches:
    features, losses = forward(with_torchjd, rows)
    mtl_backward(losses, features=features)
    jac_to_grad(with_torchjd[0].parameters(), aggregator)
    optimizer.step()
    optimizer.zero_grad()

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
balancer = Balancer(optimizer, tasks=2, level="gradient", rule="aligned_mtl")
for number, rows in enumerate(batches):
    _, losses = forward(model, rows)
    report = balancer.backward(losses)
    optimizer.step()
    optimizer.zero_grad()
    if number % 8 == 7:
        print(f"epoch {number // 8 + 1}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")

one, other = (nn.utils.parameters_to_vector(net.parameters()).detach() for net in (model, with_torchjd))
print(f"largest difference of a parameter: {float((one - other).abs().max()):.1e}")
