"""Whatever the memory layout of parameters and gradients, equal weights are the plain sum of losses."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from building import an_optimizer
from mtbalance import Balancer

WAYS = {
    "loss": {"level": "loss", "rule": "equal"},
    "gradient": {"level": "gradient", "rule": "equal", "heads": "own"},
    "weighted heads": {"level": "gradient", "rule": "equal", "heads": "weighted"},
    "a rule of rows": {"level": "gradient", "rule": "graddrop", "leak": 1.0},
}


class Odd(nn.Module):
    """A convolution laid out channels last, a weight used transposed, a bare sum, two parameters that are added."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 4, 3, dtype=torch.float64).to(memory_format=torch.channels_last)
        self.turned = nn.Parameter(torch.randn(4, 6, dtype=torch.float64))
        self.bare, self.first, self.second = (nn.Parameter(torch.randn(6, dtype=torch.float64)) for _ in range(3))

    def losses(self, images: torch.Tensor) -> list[torch.Tensor]:
        hidden = functional.conv2d(images, self.convolution.weight, self.convolution.bias).tanh().mean((2, 3))
        shared = hidden @ self.turned
        fixed = torch.arange(24.0, dtype=torch.float64).view(6, 4)
        return [
            shared.square().mean() + (self.turned.T * fixed).mean() + self.bare.sum(),
            (shared - (self.first + self.second)).square().mean(),
        ]


def trained(way: str, optimizer: str = "adam", **options) -> torch.Tensor:
    model = Odd()
    images = torch.randn(5, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    balancer = Balancer(an_optimizer(model.parameters(), optimizer, lr=0.01), 2, **WAYS[way], **options)
    for _ in range(4):
        balancer.step(model.losses(images.contiguous(memory_format=torch.channels_last)))
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "rmsprop"])
@pytest.mark.parametrize("way", [way for way in WAYS if way != "loss"])
def test_equal_weights_are_the_sum_of_losses(way, optimizer):
    torch.testing.assert_close(trained(way, optimizer), trained("loss", optimizer))


def test_shortened_together_or_apart():
    torch.testing.assert_close(trained("gradient", max_norm=0.1), trained("loss", max_norm=0.1))
