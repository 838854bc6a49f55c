"""The generators of a run on a device that is not here; what CUDA would be asked is written down."""

import numpy as np
import pytest
import torch

from mtbalance.training.seeding import random_state, restore_random_state, seed_everything


@pytest.fixture
def asked(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda *device: calls.append(device) or torch.zeros(16))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, *device: calls.append(device))
    return calls


def test_a_run_on_the_cpu_leaves_a_cuda_device_alone(asked):
    order, place = np.random.default_rng(0), torch.device("cpu")
    state = random_state(order, place)
    drawn = torch.rand(3), order.random()
    restore_random_state(state, order, place)
    assert torch.equal(torch.rand(3), drawn[0]) and order.random() == drawn[1]
    assert not asked and "cuda" not in state


def test_a_run_on_a_cuda_device_keeps_the_generator_of_that_one(asked):
    order, place = np.random.default_rng(0), torch.device("cuda", 1)
    restore_random_state(random_state(order, place), order, place)
    assert asked == [(place,), (place,)]


def test_float32_is_float32_on_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # torch's default
    seed_everything(0)
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
