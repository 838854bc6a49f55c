"""NashMTL in a recommender: sparse tables, dense towers, bfloat16, accumulated gradients, several processes.

Start it with: torchrun --standalone --nproc-per-node 2 recommender.py
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
users, items = torch.randint(40, (2048,)), torch.randint(30, (2048,))
taste = (torch.randn(40, 4)[users] * torch.randn(30, 4)[items]).sum(dim=1)
clicks = torch.bernoulli(torch.sigmoid(2 * taste))
minutes = 5 * torch.tanh(taste / 3) + 5  # known of clicked rows only


class Model(nn.Module):
    """Two tables, a shared trunk and a tower for each task."""

    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(rows, 16, sparse=True) for rows in (40, 30))
        self.trunk = nn.Sequential(nn.Linear(32, 64), nn.ReLU())
        self.towers = nn.ModuleList(nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 1)) for _ in range(2))

    def forward(self, user, item):
        hidden = self.trunk(torch.cat([self.tables[0](user), self.tables[1](item)], dim=1))
        return [tower(hidden)[:, 0] for tower in self.towers]


PARTS = 2  # of a batch, one after the other
model = DistributedDataParallel(Model())  # all processes begin with the same parameters
tables, trunk, towers = model.module.children()
sparse = torch.optim.SparseAdam(tables.parameters(), lr=1e-2)
dense = torch.optim.AdamW([*trunk.parameters(), *towers.parameters()], lr=5e-3)
balancer = Balancer(dense, tasks=2, level="gradient", rule="nash")  # 2: it finds the tables by itself

for epoch in range(1, 21):
    for batch in torch.randperm(2048).split(256):
        for rows in batch.chunk(world)[rank].chunk(PARTS):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                time, click = (output.float() for output in model(users[rows], items[rows]))
            time_loss = (clicks[rows] * (time - minutes[rows]).square()).mean()  # of all rows, so that parts add up
            losses = [time_loss, F.binary_cross_entropy_with_logits(click, clicks[rows])]
            report = balancer.backward([loss / PARTS for loss in losses])  # 3: for loss.backward()
        for optimizer in (dense, sparse):
            optimizer.step()
            optimizer.zero_grad()
    if rank == 0:  # losses and weights are those of the whole batch, in every process
        print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")
dist.destroy_process_group()
