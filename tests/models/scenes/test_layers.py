import pytest
import torch
from torch.nn import functional

from mtbalance.models.scenes._layers import SegNet, initialize, scene_heads, unit_vectors, unpool, upsample


def test_unpooling_is_torchs_with_its_gradient():
    features = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    pooled, places = functional.max_pool2d(features, 2, return_indices=True)
    pooled.requires_grad_()
    weights = torch.randn_like(features)
    ours, theirs = unpool(pooled, places), functional.max_unpool2d(pooled, places, 2)
    assert torch.equal(ours, theirs)
    gradients = [torch.autograd.grad((one * weights).sum(), pooled)[0] for one in (ours, theirs)]
    assert torch.equal(*gradients)


def test_unpooling_by_hand():
    features = torch.tensor([[[[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 2.0, 0.0]]]])
    pooled, places = functional.max_pool2d(features, 2, return_indices=True)
    assert unpool(pooled, places).tolist() == [[[[0, 5, 2, 0], [0, 0, 0, 0]]]]


@pytest.mark.parametrize("sides", [(1, 1), (1, 3), (4, 2), (9, 12)], ids=str)
def test_upsampling_is_torchs_with_its_gradient(sides):
    features = torch.randn(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    ours = upsample(features)
    theirs = functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    weights = torch.randn_like(ours)
    gradients = [torch.autograd.grad((one * weights).sum(), features)[0] for one in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


def test_a_zero_vector_stays_zero_and_has_no_gradient():
    vectors = torch.tensor([[3.0, 0.0, 1e-9], [4.0, 0.0, 0.0]]).view(1, 2, 1, 3).requires_grad_()
    unit = unit_vectors(vectors)
    torch.testing.assert_close(unit.flatten(1), torch.tensor([[0.6, 0.0, 0.0, 0.8, 0.0, 0.0]]))
    (unit * torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)).sum().backward()
    # (I - u u') w / |v|, with w = (1, 2)
    torch.testing.assert_close(vectors.grad.flatten(1), torch.tensor([[-0.064, 0, 0, 0.048, 0, 0]]))


def test_the_zero_vectors_of_a_fresh_narrow_network_do_not_spoil_its_gradients():
    torch.manual_seed(0)
    network, head = SegNet(1), scene_heads(1, 2)[2]
    initialize(network)
    initialize(head)
    normals = head(network(torch.rand(2, 3, 32, 32))[-1][1])
    assert (normals == 0).all(dim=1).any()
    normals.sum().backward()
    gradients = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    assert gradients.isfinite().all() and gradients.abs().max() < 1e4


def test_stages_are_as_large_and_as_deep_as_the_paper_says():
    widths, above = (2, 4, 8, 16, 16), (2, 2, 4, 8, 16)
    stages = SegNet(2)(torch.rand(1, 3, 64, 32))
    down = [((size, 64 >> level, 32 >> level),) * 2 for level, size in enumerate(widths)]
    up = [(shape, (size, *shape[1:])) for (shape, _), size in zip(down, above, strict=True)]
    assert [tuple(tuple(one.shape[1:]) for one in stage) for stage in stages] == down + up[::-1]
