"""NashMTL in a loop with parameter groups, a schedule, clipping, bfloat16 and accumulated gradients."""

import torch
from torch import nn
from torch.nn import functional as F

from mtbalance import Balancer  # 1

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


PARTS = 2  # of a batch, one after the other, as if memory were short
EPOCHS = 20
model = Model()
groups = [
    {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.01},
    {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},  # biases
]
optimizer = torch.optim.AdamW(groups, lr=2e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * 512 // 64)
balancer = Balancer(optimizer, tasks=2, level="gradient", rule="nash")  # 2: NashMTL

for epoch in range(1, EPOCHS + 1):
    for batch in torch.randperm(512).split(64):
        for rows in batch.chunk(PARTS):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                price, click = model(inputs[rows])
                click_loss = F.binary_cross_entropy_with_logits(click, clicks[rows])
                losses = [F.mse_loss(price, prices[rows]), click_loss]
            report = balancer.backward([loss / PARTS for loss in losses])  # 3: for loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=10.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")
