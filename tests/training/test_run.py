import numpy as np
import pytest
import torch

from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.records import read_run, write_record
from mtbalance.tasks.binary import Binary
from mtbalance.training import evaluation
from mtbalance.training.run import train
from mtbalance.training.step import predict
from mtbalance.training.watcher import Watcher
from watched_runs import Killed, Kills, numbers


class Seen(Watcher):
    """Keeps all that it is told."""

    def __init__(self):
        self.steps, self.epochs, self.errors = [], [], []

    def after_step(self, epoch, share):
        self.steps.append((epoch, share))

    def after_epoch(self, history):
        self.epochs.append(history.epochs[-1].epoch)

    def diverged(self, error):
        self.errors.append(str(error))


@pytest.mark.parametrize("balancer", ["ls", "nashmtl", "pub", "multibalance"])
def test_the_same_seed_gives_the_same_numbers(configure, data, balancer):
    first = train(configure(balancer), data)
    assert numbers(train(configure(balancer), data)) == numbers(first)
    assert first.status == "finished" and len(first.epochs) == 4


def test_another_seed_gives_other_numbers(configure, data):
    one, two = (train(configure(seed=seed), data) for seed in (0, 1))
    assert one.test != two.test


def test_values_for_another_number_of_tasks_are_refused_at_the_start(configure, data):
    famo = {"name": "famo", "options": {"level": "loss", "rule": "famo", "min_losses": [0.0, 0.0, 0.0]}}
    config = RunConfig.model_validate(configure().model_dump() | {"balancer": famo})
    with pytest.raises(UserError, match=r"^balancers\.famo\.min_losses: 3 values, not 2$"):
        train(config, data)


def test_a_cuda_device_that_is_not_there_is_told_by_its_key(configure, data, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"^training\.device is cuda, and torch finds no CUDA device here: set it"):
        train(configure(device="cuda"), data)


@pytest.mark.parametrize("balancer", ["ls", "nashmtl", "pub", "multibalance"])
def test_a_killed_run_goes_on_bit_for_bit(configure, data, tmp_path, balancer):
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(configure(balancer), data, checkpoint=checkpoint, watcher=Kills(epoch=3, share=0.5))
    assert checkpoint.exists()
    seen = Seen()
    resumed = train(configure(balancer), data, checkpoint=checkpoint, watcher=seen)
    assert seen.epochs == [3, 4], "only the last two epochs were trained"
    assert numbers(resumed) == numbers(train(configure(balancer), data))
    assert checkpoint.exists()  # until the record is safe


def test_a_checkpoint_of_other_settings_is_passed_over(configure, data, tmp_path):
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(configure(epochs=5), data, checkpoint=checkpoint, watcher=Kills(epoch=2, share=0))
    fresh = train(configure(), data, checkpoint=checkpoint)
    assert numbers(fresh) == numbers(train(configure(), data))


def test_early_stopping_returns_the_best_epoch(configure, data):
    record = train(configure(epochs=30, patience=2), data)
    scores = [epoch.evaluation["mean_auc"] for epoch in record.epochs]
    assert record.best_epoch == int(np.argmax(scores)) + 1
    assert len(scores) == 30 or len(scores) == record.best_epoch + 2


def test_a_run_that_chose_its_last_epoch_says_so(configure, data):
    record = train(configure(epochs=1, patience=0), data)
    assert record.unconverged[0] == "epoch 1 was chosen, the last one that the training may have"
    assert all("normalized entropy" in sign for sign in record.unconverged[1:])


def test_the_best_epochs_model_is_the_one_tested(configure, data):
    """Selected on the test split, the reported test metrics are those of the best epoch."""
    record = train(configure(epochs=6, selection="test"), data)
    assert record.test == record.epochs[record.best_epoch - 1].evaluation
    assert record.selection == "test"


def test_without_a_selection_the_last_epochs_are_averaged(configure, data):
    record = train(configure(selection="last", last_epochs=3), data)
    evaluations = [epoch.evaluation for epoch in record.epochs]
    expected = np.mean([evaluation["ne"]["click"] for evaluation in evaluations[-3:]])
    assert record.test["ne"]["click"] == pytest.approx(expected, abs=1e-15)
    assert record.test["mean_auc"] != evaluations[-1]["mean_auc"]
    assert record.evaluated == "test" and record.best_epoch == 4


def test_bfloat16_is_near_float32_and_not_the_same(configure, data):
    exact, rough = (train(configure(precision=precision), data) for precision in ("float32", "bfloat16"))
    losses = [record.epochs[0].train_loss["click"] for record in (exact, rough)]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_diverged_run_says_so(configure, data, monkeypatch, tmp_path):
    def broken(task, logits, targets):
        return (logits * torch.inf).mean()

    monkeypatch.setattr(Binary, "loss", broken)
    seen = Seen()
    record = train(configure(), data, watcher=seen)
    assert record.status == "diverged" and record.test is None
    assert "not finite at step 1" in seen.errors[-1]
    write_record(tmp_path / "record.json", record)
    assert read_run(tmp_path / "record.json") == record


def test_a_run_whose_outputs_are_not_finite_after_an_epoch_has_diverged(configure, data, monkeypatch):
    """Every loss was finite: the last step alone may spoil a model."""
    monkeypatch.setattr(evaluation, "predict", lambda *given: [torch.nan * out for out in predict(*given)])
    seen = Seen()
    record = train(configure(), data, watcher=seen)
    assert record.status == "diverged" and record.test is None and record.epochs == []
    assert seen.errors[-1] == "the model's outputs are not finite" and seen.steps


def test_the_record_holds_what_a_reader_needs(configure, data, tmp_path):
    record = train(configure("pub"), data)
    assert record.digest == configure("pub").digest()
    assert record.data.synthetic is True and set(record.data.best_auc["test"]) == {"click", "conversion"}
    assert record.environment.threads == 1 and record.environment.torch == torch.__version__
    sizes = record.model
    assert sizes.parameters == sizes.shared + sizes.private
    first = record.epochs[0]
    assert first.searches == 2 and first.samples == 1500  # steps 1 and 4 of 6
    assert {"cosine", "joint_norm", "weight_sum", "residual", "fallback"} <= set(first.diagnostics)
    assert first.diagnostics["residual"] < 1e-10
    write_record(tmp_path / "record.json", record)
    assert read_run(tmp_path / "record.json") == record


def test_the_record_names_the_processor_and_its_instructions(configure, data):
    found = train(configure(epochs=1), data).environment
    assert found.cpu and found.instruction_set == torch.backends.cpu.get_cpu_capability()


def test_a_model_for_each_task_shares_nothing(configure, data):
    assert train(configure(backbone="single_task", epochs=1), data).model.shared == 0


def test_progress_reaches_the_end_of_every_epoch(configure, data):
    seen = Seen()
    train(configure(epochs=2), data, watcher=seen)
    assert [share for epoch, share in seen.steps if epoch == 2][-1] == 1.0 and seen.steps == sorted(seen.steps)
