"""What a run shows: a line an epoch, and a line at the end."""

from mtbalance.training.history import Best, History
from mtbalance.training.progress import ProgressBar, epoch_line, summary_line
from mtbalance.training.run import train
from sample_records import epoch_record


def test_a_run_prints_a_line_an_epoch_and_a_summary(configure, data, capsys):
    with ProgressBar("a run", epochs=2) as bar:
        record = train(configure(epochs=2), data, watcher=bar)
    first, second = record.epochs
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"epoch 1/2: click auc {first.evaluation['auc']['click']:.4f}, conversion auc ")
    assert f"mean_auc {first.evaluation['mean_auc']:.4f} (best so far); train loss " in lines[0]
    assert lines[1].endswith(f"{second.samples / second.seconds.step:,.0f} samples/s")
    summary = summary_line(record)
    assert summary.startswith(f"test click auc {record.test['auc']['click']:.4f}, conversion auc ")
    assert summary.endswith(f", epoch {record.best_epoch} of 2")


def test_the_summary_says_what_was_averaged_or_that_a_run_diverged(configure, data, capsys):
    record = train(configure(epochs=2, selection="last", last_epochs=2), data)
    assert summary_line(record).endswith(", last epochs of 2")
    lost = record.model_copy(update={"status": "diverged", "test": None, "epochs": record.epochs[:1]})
    assert summary_line(lost) == "diverged after 1 epochs"
    with ProgressBar("a run", epochs=2) as bar:
        bar.diverged(FloatingPointError("losses are not finite"))
    assert capsys.readouterr().out == "diverged: losses are not finite\n"


def test_a_line_has_what_decides_where_a_regression_is_among_the_tasks():
    evaluation = {"auc": {"click": 0.8}, "ne": {"click": 0.9}, "rmse": {"flow": 2.0}, "r2": {"flow": 0.5}}
    evaluation |= {"mean_auc": 0.8, "mean_score": 0.65}
    history = History("", [epoch_record(1, ["click", "flow"], evaluation)], {"": Best(1, 0.65)})
    said = epoch_line(history, 2)
    assert said.startswith("epoch 1/2: click auc 0.8000, flow r2 0.5000, mean_score 0.6500 (best so far); train loss ")
