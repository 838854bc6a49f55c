"""CAGrad as LibMTL trains it, in a loop of your own. A comment says what the lines below it were there."""

import torch
from torch import nn
from torch.nn import functional as F

from mtbalance import Balancer

torch.manual_seed(0)
inputs = torch.randn(512, 8)
prices = 10 * torch.tanh(inputs @ torch.randn(8) / 3)
clicks = torch.bernoulli(torch.sigmoid(inputs @ torch.randn(8)))

# task_dict = {"price": {"loss_fn": MSELoss(), ...}, "click": {"loss_fn": BCEWithLogitsLoss(), ...}}
tasks = {"price": (F.mse_loss, prices), "click": (F.binary_cross_entropy_with_logits, clicks)}

# trainer = Trainer(task_dict, architecture="HPS", encoder_class=Encoder, decoders=decoders, ...)
encoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
decoders = nn.ModuleDict({task: nn.Linear(32, 1) for task in tasks})
model = nn.ModuleList([encoder, decoders])

#                   optim_param={"optim": "adam", "lr": 1e-2}, ...
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

#                   weighting="CAGrad", weight_args={"calpha": 0.5, "rescale": 1}, rep_grad=False)
balancer = Balancer(optimizer, tasks=len(tasks), level="gradient", rule="cagrad", c=0.5, divide_by="1+c^2")

# trainer.train(train_dataloaders, test_dataloaders, epochs=20)
for epoch in range(1, 21):
    for rows in torch.randperm(512).split(64):
        hidden = encoder(inputs[rows])
        losses = [loss(decoders[name](hidden)[:, 0], targets[rows]) for name, (loss, targets) in tasks.items()]
        report = balancer.backward(losses)
        optimizer.step()
        optimizer.zero_grad()
    print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")
