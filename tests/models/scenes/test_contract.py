"""What every scene backbone must hold."""

import copy

import pytest
import torch

from building import a_level, an_optimizer
from entries import backbone_class, rule_class
from mtbalance.balancing.reach import find_reach
from mtbalance.models.scenes._options import SceneSizes
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation
from problem_kinds import kinds

KINDS = kinds("scenes")
SHARING = [kind for kind in KINDS if kind != "segnet"]
CLASSES, WIDTH = 5, 3
TASKS = [Segmentation("segmentation", ""), Depth("depth", ""), Normal("normal", "")]


@pytest.fixture(autouse=True)
def _deterministic():
    """As in every run: operations without a deterministic form are refused, and there is one thread."""
    threads = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def build(kind: str, width: int = WIDTH, classes: int = CLASSES):
    torch.manual_seed(0)
    return backbone_class(kind)(classes, SceneSizes(problem="scenes", width=width))


def scenes(count: int = 2, height: int = 32, width: int = 64, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    classes = torch.randint(-1, CLASSES, (count, height, width), generator=generator)
    depth = 5 * torch.rand(count, 1, height, width, generator=generator, dtype=dtype)
    normals = torch.nn.functional.normalize(torch.randn(count, 3, height, width, generator=generator, dtype=dtype))
    return torch.rand(count, 3, height, width, generator=generator, dtype=dtype), (classes, depth, normals)


def losses(model, images, targets, fork=None):
    representation = model.encode((images,))
    forks = fork(representation) if fork else [representation] * 3
    return [
        task.loss(model.decode(fork, k), target)
        for k, (task, fork, target) in enumerate(zip(TASKS, forks, targets, strict=True))
    ]


def numbers(parameters) -> int:
    return sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(32, 32), (64, 32), (96, 160)], ids=str)
def test_every_task_has_an_output_a_pixel_and_every_parameter_a_use(kind, size):
    model = build(kind)
    images, targets = scenes(2, *size)
    outputs = model((images,))
    assert [tuple(output.shape) for output in outputs] == [(2, channels, *size) for channels in (CLASSES, 1, 3)]
    torch.testing.assert_close(outputs[0].exp().sum(dim=1), torch.ones(2, *size))
    lengths = outputs[2].norm(dim=1)
    torch.testing.assert_close(lengths, (lengths > 0.5).float())  # 1, or the zero vector
    assert lengths.mean() > 0.9
    sum(losses(model, images, targets)).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_xavier_normal_and_biases_zero(kind):
    model = build(kind, width=16)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            assert not module.bias.any()
            fans = (module.in_channels + module.out_channels) * module.kernel_size[0] ** 2
            if module.weight.numel() > 1e4:
                assert module.weight.std().item() == pytest.approx((2 / fans) ** 0.5, rel=0.05)
        elif isinstance(module, torch.nn.BatchNorm2d):
            assert (module.weight == 1).all() and not module.bias.any()


@pytest.mark.parametrize("kind", KINDS)
def test_images_do_not_see_each_other_in_evaluation(kind):
    model = build(kind).eval()
    images, _ = scenes(3)
    for whole, part in zip(model((images,)), model((images[1:2],)), strict=True):
        torch.testing.assert_close(whole[1:2], part, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_again(kind):
    def gradients():
        model = build(kind)
        sum(losses(model, *scenes())).backward()
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    assert torch.equal(gradients(), gradients())


def test_separate_networks_share_nothing():
    model = build("segnet")
    found = find_reach(losses(model, *scenes()), list(model.parameters()))
    assert not found.shared
    assert [numbers(own) for own in found.own] == [
        numbers([*trunk.parameters(), *head.parameters()])
        for trunk, head in zip(model.trunks, model.heads, strict=True)
    ]


def test_split_shares_its_trunk():
    model = build("split_segnet")
    found = find_reach(losses(model, *scenes()), list(model.parameters()))
    assert set(found.shared) == set(model.trunk.parameters())


def test_mtan_shares_its_trunk_and_the_common_convolutions_behind_the_fork():
    model = build("mtan")
    common = {*model.common_down.parameters(), *model.common_up.parameters()}
    found = find_reach(losses(model, *scenes()), list(model.parameters()))
    assert set(found.shared) == {*model.trunk.parameters()} | common
    detached = tuple(tensor.detach() for tensor in model.encode((scenes()[0],)))
    behind = find_reach([model.decode(detached, task).sum() for task in range(3)], list(model.parameters()))
    assert set(behind.shared) == common


def test_the_papers_sizes():
    """Counted in the authors' and in NashMTL's code, at width 64 with 13 classes, without MTAN's log-variances."""
    mtan = build("mtan", 64, 13)
    assert numbers(mtan.parameters()) == 44_229_073
    assert numbers(mtan.heads.parameters()) == 111_889
    assert numbers([*mtan.attention_down.parameters(), *mtan.attention_up.parameters()]) == 8_953_728
    found = find_reach([output.sum() for output in mtan((torch.rand(1, 3, 32, 32),))], list(mtan.parameters()))
    assert numbers(found.shared) == 35_163_456
    assert sum(map(numbers, found.own)) == 111_889 + 8_953_728
    assert numbers(build("split_segnet", 64, 13).parameters()) == 25_055_185
    trunk = 25_055_185 - 111_889
    assert numbers(build("segnet", 64, 13).parameters()) == 3 * trunk + 111_889


def level_of(model, level: str):
    return a_level(level, rule_class("equal")(3), an_optimizer(model.parameters(), lr=1e-3))


@pytest.mark.parametrize("kind", SHARING)
def test_equal_weights_at_the_representation_are_linear_scalarization(kind):
    """Also where parameters behind the fork serve all tasks: they get the sum of the tasks' own gradients."""
    steps, models = {}, {}
    for level in ("loss", "representation"):
        model = models[level] = build(kind).double().train()
        balancer = level_of(model, level)
        seen = {}
        balancer.optimizer.register_step_pre_hook(
            lambda *_, model=model, seen=seen: seen.update(
                {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
            )
        )
        balancer.step(losses(model, *scenes(dtype=torch.float64), fork=balancer.fork))
        steps[level] = seen
    torch.testing.assert_close(steps["representation"], steps["loss"], rtol=1e-9, atol=1e-12)
    for name, statistic in models["loss"].named_buffers():
        torch.testing.assert_close(models["representation"].get_buffer(name), statistic, rtol=1e-12, atol=1e-12)


def test_common_batch_norms_move_once_a_task_and_the_trunks_once_a_batch():
    model = build("mtan").train()
    model((scenes()[0],))
    counts = {
        name: {int(buffer) for key, buffer in part.named_buffers() if key.endswith("num_batches_tracked")}
        for name, part in model.named_children()
        if name != "heads"
    }
    assert counts == {"trunk": {1}, "common_down": {3}, "common_up": {3}, "attention_down": {1}, "attention_up": {1}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_steps_lower_the_losses(kind):
    model = build(kind).train()
    images, targets = scenes()
    balancer = level_of(model, "loss")
    before = copy.deepcopy(balancer.step(losses(model, images, targets)).losses)
    for _ in range(30):
        report = balancer.step(losses(model, images, targets))
    assert (report.losses < before).all()


@pytest.mark.parametrize("kind", ["mtan", "split_segnet"])
def test_the_last_shared_layer_is_the_one_nearest_to_the_outputs(kind):
    model, images = build(kind), torch.rand(2, 3, 32, 64)
    names = {parameter: name for name, parameter in model.named_parameters()}
    found = find_reach([output.square().mean() for output in model((images,))], list(model.parameters()))
    assert names[found.shared[found.last_layer]] == "trunk.up_rest.0.0.0.weight"


@pytest.mark.parametrize("kind", ["mtan", "split_segnet", "segnet"])
def test_outputs_are_in_float32_whatever_the_convolutions_are_in(kind):
    model = build(kind)
    with torch.autocast("cpu", torch.bfloat16):
        scores, depth, normals = model((torch.rand(2, 3, 32, 64),))
    assert scores.dtype == depth.dtype == normals.dtype == torch.float32
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(2, 32, 64))
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(2, 32, 64))
