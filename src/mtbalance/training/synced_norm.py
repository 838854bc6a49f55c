"""synchronized: batch norm over the whole batch, where several processes have parts of it."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _Sum(torch.autograd.Function):
    """The sum over all processes. Each of them has a loss that depends on it, so that gradients are summed, too."""

    @staticmethod
    def forward(_: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return _sum(gradients[0])


def _sum(tensor: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(tensor)  # type: ignore[no-untyped-call]
    return total


class SyncedBatchNorm(_BatchNorm):
    """Batch norm by the mean and the variance over the rows of all processes, at least in float32.

    torch's ``SyncBatchNorm`` does the same on GPUs only.
    """

    def _check_input_dim(self, input: Tensor) -> None: ...

    def forward(self, input: Tensor) -> Tensor:
        """The normalized rows [B, C, ...] of this process."""
        if not self.training:
            evaluated: Tensor = super().forward(input)
            return evaluated
        rows = input.to(torch.promote_types(input.dtype, torch.float32))
        axes, shape = [0, *range(2, input.dim())], [1, -1, *[1] * (input.dim() - 2)]
        count = rows.new_tensor([rows.numel() / rows.shape[1]])
        sums = _sum(torch.cat([rows.sum(axes), count]))
        total, mean = sums[-1], sums[:-1] / sums[-1]
        centered = rows - mean.view(shape)
        variance = _sum(centered.square().sum(axes)) / total
        self._remember(mean, variance * total / (total - 1))
        normal = centered * (variance + self.eps).rsqrt().view(shape)
        found: Tensor = (normal * self.weight.view(shape) + self.bias.view(shape)).to(input.dtype)
        return found

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def synchronized(model: nn.Module) -> None:
    """Let every batch norm in the model see the whole batch, with the parameters and statistics that it has."""
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm):
                norm = SyncedBatchNorm(child.num_features, child.eps, child.momentum)
                norm.load_state_dict(child.state_dict())
                setattr(module, name, norm.to(child.weight))
