"""NashMTL in a LightningModule, with manual optimization."""

import lightning
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from mtbalance import Balancer  # 1

torch.manual_seed(0)
inputs = torch.randn(512, 8)
prices = 10 * torch.tanh(inputs @ torch.randn(8) / 3)
clicks = torch.bernoulli(torch.sigmoid(inputs @ torch.randn(8)))


class Model(lightning.LightningModule):
    """A shared trunk and a head for each task."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False  # 2: training_step takes the steps
        self.trunk = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
        self.price, self.click = nn.Linear(32, 1), nn.Linear(32, 1)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-2)
        self.balancer = Balancer(optimizer, tasks=2, level="gradient", rule="nash")  # 3: NashMTL
        return optimizer

    def training_step(self, batch, batch_number):
        rows, price, click = batch
        hidden = self.trunk(rows)
        click_loss = F.binary_cross_entropy_with_logits(self.click(hidden)[:, 0], click)
        losses = [F.mse_loss(self.price(hidden)[:, 0], price), click_loss]
        self.report = self.balancer.backward(losses)  # 4: for self.manual_backward(sum(losses))
        self.optimizers().step()
        self.optimizers().zero_grad()

    def on_save_checkpoint(self, checkpoint):
        checkpoint["balancer"] = self.balancer.state_dict()  # 5: with the model

    def on_load_checkpoint(self, checkpoint):
        self.saved = checkpoint["balancer"]

    def on_train_start(self):
        if hasattr(self, "saved"):
            self.balancer.load_state_dict(self.saved)

    def on_train_epoch_end(self):
        epoch, report = self.current_epoch + 1, self.report
        print(f"epoch {epoch}: losses {report.losses.round(3)}, weights {report.weights.round(3)}")


loader = DataLoader(TensorDataset(inputs, prices, clicks), batch_size=64, shuffle=True)
quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
trainer = lightning.Trainer(accelerator="cpu", max_epochs=20, **quiet)
trainer.fit(Model(), loader)
print(f"steps that Lightning counted: {trainer.global_step}")
