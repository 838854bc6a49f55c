"""Runs that are killed at random moments end with the same records, weights, predictions and numbers of steps."""

from __future__ import annotations

import copy
import random
import signal
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from killed_runs import Run, killed
from subjects import SEED

import tiny_problems
from mtbalance.config.reading import parse
from mtbalance.config.run import RunConfig

BALANCERS = {
    "ls": {"level": "loss", "rule": "equal"},
    "rlw": {"level": "loss", "rule": "random_weights"},
    "dwa": {"level": "loss", "rule": "dynamic_weights"},
    "uncertainty": {"level": "loss", "rule": "uncertainty"},
    "famo": {"level": "loss", "rule": "famo"},
    "gradnorm": {"level": "gradient", "rule": "gradnorm"},
    "nashmtl": {"level": "gradient", "rule": "nash", "every": 3},
    "pcgrad": {"level": "gradient", "rule": "pcgrad"},
    "graddrop": {"level": "representation", "rule": "graddrop"},
    "multibalance": {"level": "representation", "rule": "multibalance"},
    "moco": {"level": "gradient", "rule": "moco"},
    "pub": {"level": "update", "rule": "nash", "every": 3},
    "pub_clippy": {"level": "update", "rule": "nash", "every": 2, "manipulation": "clippy"},
    "pub_adatask": {"level": "update", "rule": "nash", "manipulation": "adatask"},
}
"""Every level, rules with a state, rules that draw, and manipulations."""
PLACES = [("ranking", name) for name in BALANCERS]
SLOWER = ("ls", "uncertainty", "famo", "nashmtl", "pcgrad", "graddrop", "multibalance", "pub")
PLACES += [("scenes", name) for name in SLOWER]
EPOCHS, STEPS = 3, {"ranking": 18, "scenes": 9}
"""Steps of a run: 1,500 rows in batches of 256, or 10 scenes in batches of 4, in each epoch."""
K, T = signal.SIGKILL, signal.SIGTERM
CHAINS = ((K,), (K, K, K), (T, K))
"""What happens to one run: three runs of each balancer have 5 kills and a request to end."""


def configured(kind: str, balancer: str) -> RunConfig:
    raw = copy.deepcopy(tiny_problems.PARAMETERS)
    raw["balancers"] = BALANCERS
    chosen = raw["experiments"][kind]
    chosen["training"] |= {"epochs": EPOCHS}
    chosen["grid"] = {list(chosen["grid"])[-1]: [balancer]}
    raw["experiments"] = {kind: chosen}
    raw["presets"] = {"tiny": [kind]}
    return parse(raw).runs(kind)[0]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The prepared data of a kind of problem."""
    return cache(lambda kind: tiny_problems.prepared(kind, tmp_path_factory.mktemp(kind)))


def ended(kind: str, balancer: str, data: Path, folder: Path, chains: Sequence[Sequence[signal.Signals]]) -> dict:
    """End a run in each of the ways, and compare what it comes to with the run that nobody ended."""
    config = configured(kind, balancer).model_dump_json()
    (folder / "whole").mkdir()
    right = Run(config, data, folder / "whole", 10**6).finished()
    found = []
    for number, chain in enumerate(chains):
        draw = random.Random(f"{SEED} {kind} {balancer} {number}")
        run = Run(config, data, folder / str(number), draw.randint(1, 4))
        run.folder.mkdir()
        found.append(killed(run, draw, chain, STEPS[kind]))
        case = f"{kind}, {balancer}, {number}: {found[-1][:4]}, a checkpoint every {run.interval} steps"
        assert found[-1].results == right, case
        assert found[-1].lost <= run.interval and found[-1].lost_by_terms == 0, case
    return {
        "kills": sum(one.kills for one in found),
        "terms": sum(one.terms for one in found),
        "lost": max(one.lost for one in found),
    }


def test_a_few(data: Callable[[str], Path], tmp_path: Path):
    assert ended("ranking", "pub_clippy", data("ranking"), tmp_path, ((K,),))["kills"] == 1


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "balancer"), PLACES)
def test_every_balancer(
    kind: str, balancer: str, data: Callable[[str], Path], tmp_path: Path, told: Callable[..., None]
):
    told("killed", problem=kind, balancer=balancer, **ended(kind, balancer, data(kind), tmp_path, CHAINS))
