"""Training steps on scenes: MTAN with LS and with PUB, and what makes them faster or slower.

float32, one thread, random (synthetic) images. Everything that is timed takes turns in one process, so the ratios hold
on a machine whose speed drifts; memory is the peak of a process that does two steps and nothing else. At the paper's
size and batch, 4 images of 288 x 384, that is a quarter of an hour and 17 GiB: name a smaller batch where there is
less.

    python bench/scenes.py                                                # all of it, small
    python bench/scenes.py --size paper --blocks 1 --only steps memory    # the paper's
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.levels import Level
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.balancing.reach import find_reach
from mtbalance.config.reading import read_parameters
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.models.backbone import Backbone
from mtbalance.models.scenes._options import SceneSizes
from mtbalance.registry import entry
from mtbalance.tasks import Task
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.seeding import seed_everything
from mtbalance.training.speed import against, seconds_in_turn
from mtbalance.training.step import task_losses, train_step

CPU = torch.device("cpu")
PARAMS = Path(__file__).parent.parent / "params.yaml"
TASKS = [entry("mtbalance.tasks", kind, Task)(kind, kind) for kind in ("segmentation", "depth", "normal")]
CLASSES = 13
FLOAT32 = TrainingConfig(epochs=1)


@dataclass(frozen=True)
class Setting:
    """A network, its images, and how they are computed with."""

    height: int
    width: int
    channels: int
    batch: int
    kind: str = "mtan"
    training: TrainingConfig = FLOAT32

    @property
    def memory_format(self) -> torch.memory_format:
        """Of convolutions."""
        return torch.channels_last if self.training.channels_last else torch.contiguous_format


SIZES = {"small": Setting(64, 96, 8, 8), "paper": Setting(288, 384, 64, 4)}


def random_batch(setting: Setting) -> Batch:
    shape = (setting.batch, setting.height, setting.width)
    normals = functional.normalize(torch.randn(setting.batch, 3, setting.height, setting.width))
    images = torch.rand(setting.batch, 3, setting.height, setting.width)
    return Batch((images,), (torch.randint(-1, CLASSES, shape), 5 * torch.rand(shape).unsqueeze(1), normals))


def network(setting: Setting) -> Backbone:
    torch.manual_seed(0)
    model = entry("mtbalance.models.scenes", setting.kind, Backbone)
    sizes = SceneSizes(problem="scenes", width=setting.channels)
    return model(CLASSES, sizes).train().to(memory_format=setting.memory_format)


def balanced(setting: Setting, balancer: str) -> tuple[Backbone, Level]:
    """A network, and a level that searches weights at every step, the dearest there is."""
    model = network(setting)
    options = read_parameters(PARAMS).balancers[balancer]
    level = assemble(options, OptimizerOptions(lr=1e-4), model.parameters(), len(TASKS), seed=0)
    level.options = options.model_copy(update={"every": 1})
    return model, level


def stepper(setting: Setting, balancer: str = "ls") -> Callable[[], object]:
    """Whole training steps."""
    (model, level), batch = balanced(setting, balancer), random_batch(setting)
    return lambda: train_step(model, TASKS, level, batch, CPU, setting.training)


def gradients(setting: Setting) -> dict[str, Callable[[], object]]:
    """The K task gradients of one graph, from scalar losses and from entries of a vector of losses."""
    model, level = balanced(setting, "ls")
    parameters = list(model.parameters())
    scalars = task_losses(model, TASKS, level, random_batch(setting), setting.training)
    vector = torch.stack(scalars)
    found = find_reach(scalars, parameters)

    def of(loss: Tensor, wanted: Sequence[Tensor]) -> None:
        torch.autograd.grad(loss, wanted, retain_graph=True, allow_unused=True)

    def own() -> None:
        for loss, private in zip(scalars, found.own, strict=True):
            of(loss, found.shared + private)

    def indexed() -> None:
        for task in range(len(TASKS)):
            of(vector[task], parameters)

    return {"K scalar losses": own, "K entries of a vector": indexed}


def compare(title: str, steppers: dict[str, Callable[[], object]], blocks: int) -> None:
    """Print seconds and ratios to the first."""
    seconds = seconds_in_turn(list(steppers.values()), blocks, 1, CPU)
    print(f"\n{title}: medians of {blocks} calls in turn [quartiles]\n{'':26}{'seconds':>9}{'ratio':>8}")
    for column, name in enumerate(steppers):
        found = against(seconds[:, 0], seconds[:, column])
        low, high = sorted(1 / quartile for quartile in found.quartiles)
        ratio = 1 / found.relative_throughput
        print(f"{name:26}{found.seconds_a_step:9.3f}{ratio:8.2f}  [{low:.2f}, {high:.2f}]", flush=True)


def peak_of_two_steps(setting: Setting, balancer: str) -> float:
    """GiB at the peak of this process, which does nothing else.

    Not ``ru_maxrss``: a child's begins at what its parent held when it was started.
    """
    keep_freed_memory()
    seed_everything(0)
    step = stepper(setting, balancer)
    step()
    step()
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 2**20


def peak_memory(setting: Setting, balancer: str) -> float:
    """:func:`peak_of_two_steps` in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(peak_of_two_steps, setting, balancer).result()


def compare_steps(setting: Setting, blocks: int) -> None:
    compare("a training step", {name: stepper(setting, name) for name in ("ls", "pub")}, blocks)


def compare_gradients(setting: Setting, blocks: int) -> None:
    compare("three task gradients, backward only", gradients(setting), blocks)


def compare_memory(setting: Setting, blocks: int) -> None:
    peaks = {name: peak_memory(setting, name) for name in ("ls", "pub")}
    print(f"\npeak memory in GiB: ls {peaks['ls']:.2f}, pub {peaks['pub']:.2f}, ratio {peaks['pub'] / peaks['ls']:.2f}")


def compare_formats(setting: Setting, blocks: int) -> None:
    settings = {
        f"{precision}{', channels last' if last else ''}": replace(
            setting, training=TrainingConfig(epochs=1, precision=precision, channels_last=last)
        )
        for precision in ("float32", "bfloat16")
        for last in (False, True)
    }
    compare("a step of LS", {name: stepper(one) for name, one in settings.items()}, blocks)


def compare_backbones(setting: Setting, blocks: int) -> None:
    settings = {
        f"{kind}, {channels} channels": replace(setting, kind=kind, channels=channels)
        for kind in ("mtan", "split_segnet", "segnet")
        for channels in (8, 12, 16)
    }
    compare("a step of LS", {name: stepper(one) for name, one in settings.items()}, blocks)


PARTS = {
    "steps": compare_steps,
    "gradients": compare_gradients,
    "memory": compare_memory,
    "formats": compare_formats,
    "backbones": compare_backbones,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--batch", type=int, help="images, if not the size's own number")
    parser.add_argument("--channels", type=int, help="of the first level, if not the size's own number")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in ("batch", "channels") if getattr(options, name)}
    setting = replace(SIZES[options.size], **given)
    keep_freed_memory()
    seed_everything(0)
    print(f"{setting.height} x {setting.width}, {setting.channels} channels, batch {setting.batch}")
    for name in options.only:
        PARTS[name](setting, options.blocks)


if __name__ == "__main__":
    main()
