"""Gradients in memory as their parameters are: fused optimizers read it without regard to strides."""

from __future__ import annotations

import torch
from torch import Tensor


def laid_out(gradient: Tensor, parameter: Tensor) -> Tensor:
    """A copy of ``gradient`` in memory of its own, laid out as the parameter is; a sparse one is returned as it is.

    ``backward`` makes such gradients. Those of ``autograd.grad`` may have other strides, or be one tensor for two
    parameters; but fused optimizers read memory without regard to strides, and gradients are scaled in place.
    """
    return gradient if gradient.is_sparse else torch.empty_like(parameter).copy_(gradient)


def fitting(gradient: Tensor, parameter: Tensor) -> Tensor:
    """The gradient, or a copy that is laid out as the parameter if it is not."""
    fits = not gradient.is_sparse and gradient.stride() == parameter.stride()
    return gradient if fits else laid_out(gradient, parameter)
