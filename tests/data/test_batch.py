import torch

from mtbalance.data.batch import Batch


def a_batch(rows: int) -> Batch:
    ids, numbers = torch.arange(2 * rows).view(rows, 2), torch.arange(rows)[:, None].float()
    return Batch((ids, numbers), (torch.arange(rows) % 2, torch.arange(rows) % 3))


def test_parts_cover_the_batch_in_order():
    batch = a_batch(10)
    parts = batch.parts(4)
    assert [len(part.targets[0]) for part in parts] == [3, 3, 2, 2]
    for position in range(2):
        assert torch.equal(torch.cat([part.inputs[position] for part in parts]), batch.inputs[position])
        assert torch.equal(torch.cat([part.targets[position] for part in parts]), batch.targets[position])


def test_a_small_batch_is_cut_into_single_rows():
    assert [len(part.targets[0]) for part in a_batch(3).parts(8)] == [1, 1, 1]
