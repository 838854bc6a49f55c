"""PUB in two processes, each on its half of a batch.

Start it with: torchrun --standalone --nproc-per-node 2 data_parallel.py
"""

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from mtbalance import Balancer  # 1

dist.init_process_group("gloo")  # "nccl" on GPUs
rank, world = dist.get_rank(), dist.get_world_size()

torch.manual_seed(0)  # the same data and the same order in every process
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


model = DistributedDataParallel(Model())  # all processes begin with the same parameters
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
balancer = Balancer(optimizer, tasks=2, level="update", rule="nash")  # 2: it finds the processes by itself

for epoch in range(1, 21):
    for batch in torch.randperm(512).split(64):
        rows = batch.chunk(world)[rank]
        price, click = model(inputs[rows])
        losses = [F.mse_loss(price, prices[rows]), F.binary_cross_entropy_with_logits(click, clicks[rows])]
        report = balancer.step(losses)  # 3
    if rank == 0:  # losses and weights are those of the whole batch, in every process
        print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")

mine = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
replicas = [torch.empty_like(mine) for _ in range(world)]
dist.all_gather(replicas, mine)
if rank == 0:
    print(f"{world} replicas, equal: {all(torch.equal(one, mine) for one in replicas)}")
dist.destroy_process_group()
