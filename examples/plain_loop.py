"""PUB in a plain training loop. The lines with a number are new; the rest is a loop as it was."""

import torch
from torch import nn
from torch.nn import functional as F

from mtbalance import Balancer  # 1

# Two tasks on the same inputs: a price, which is a number, and a click, which is yes or no.
torch.manual_seed(0)
inputs = torch.randn(512, 8)
prices = 10 * torch.tanh(inputs @ torch.randn(8) / 3)
clicks = torch.bernoulli(torch.sigmoid(inputs @ torch.randn(8)))


class Model(nn.Module):
    """A shared trunk and a head for each task."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
        self.price, self.click = nn.Linear(32, 1), nn.Linear(32, 1)

    def forward(self, inputs):
        hidden = self.trunk(inputs)
        return self.price(hidden)[:, 0], self.click(hidden)[:, 0]


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
balancer = Balancer(optimizer, tasks=2, level="update", rule="nash")  # 2: PUB

for epoch in range(1, 21):
    for rows in torch.randperm(512).split(64):
        price, click = model(inputs[rows])
        losses = [F.mse_loss(price, prices[rows]), F.binary_cross_entropy_with_logits(click, clicks[rows])]
        report = balancer.step(losses)  # 3: for loss.backward(), optimizer.step() and zero_grad()
    print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")
