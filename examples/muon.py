"""PUB over Muon. The balancer lets a copy of the optimizer propose the update of each task."""

import torch
from torch import nn
from torch.nn import functional as F

from mtbalance import Balancer

torch.manual_seed(0)
inputs = torch.randn(512, 8)
prices = 10 * torch.tanh(inputs @ torch.randn(8) / 3)
clicks = torch.bernoulli(torch.sigmoid(inputs @ torch.randn(8)))

trunk = nn.Sequential(nn.Linear(8, 32, bias=False), nn.ReLU())
heads = nn.Linear(32, 2, bias=False)  # one matrix, a row for each task: both tasks share it
# torch's Muon takes matrices alone, so the layers have no biases
optimizer = torch.optim.Muon([*trunk.parameters(), *heads.parameters()], lr=2e-2)
balancer = Balancer(optimizer, tasks=2, level="update", rule="nash")  # the one line: PUB over Muon

for epoch in range(1, 21):
    for rows in torch.randperm(512).split(64):
        price, click = heads(trunk(inputs[rows])).T
        losses = [F.mse_loss(price, prices[rows]), F.binary_cross_entropy_with_logits(click, clicks[rows])]
        report = balancer.step(losses)
    print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")
