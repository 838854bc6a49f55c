import json
from pathlib import Path

import pytest
import torch

from mtbalance.canonical import checksum_of
from mtbalance.errors import UserError
from mtbalance.problems import open_problem
from tiny_problems import configure


@pytest.fixture
def problem(problems):
    return problems["ranking"]


def test_a_sample_is_labels_and_logits(problem):
    batch = next(problem.split("test").batches(3, None))
    logits = [torch.tensor([0.0, 1.0, -1.0]), torch.tensor([2.0, 3.0, 4.0], requires_grad=False)]
    sample = problem.sample(batch, logits)
    assert set(sample) == {"click", "conversion", "predicted_click", "predicted_conversion"}
    assert sample["predicted_click"].tolist() == [0, 1, -1] and sample["predicted_conversion"].tolist() == [2, 3, 4]
    assert sample["click"].tolist() == batch.targets[0].tolist()


def test_facts_have_label_rates_and_the_best_auc_of_synthetic_data(problem):
    facts = problem.facts()
    labels = torch.cat([batch.targets[1] for batch in problem.split("valid").batches(500, None)])
    assert facts["rates"]["valid"]["conversion"] == pytest.approx(labels.mean().item(), abs=1e-6)
    assert 0.5 < facts["best_auc"]["test"]["click"] < 1


def test_the_score_is_the_mean_auc(problem):
    metrics = {"auc": {"click": 0.6, "conversion": 0.9}, "ne": {"click": 1.0, "conversion": 1.0}}
    assert problem.summarize(metrics) == {"mean_auc": pytest.approx(0.75)}


@pytest.mark.parametrize("alike", [0, 1])
@pytest.mark.parametrize("split", ["test", "valid"])
def test_labels_that_are_all_alike_are_refused_when_data_are_opened(problem, tmp_path: Path, split: str, alike: int):
    schema = json.loads(problem.schema.text())
    facts = schema["splits"][split]
    facts["positives"]["conversion"] = alike * facts["rows"]
    schema["checksum"] = checksum_of({key: value for key, value in schema.items() if key != "checksum"})
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    said = rf"task 'conversion': every label of split '{split}' is {alike}, so AUC is not defined; prepare the data"
    with pytest.raises(UserError, match=said):
        open_problem(configure("ranking"), tmp_path)
    if split == "valid":  # nothing is evaluated on it here
        open_problem(configure("ranking", selection="test"), tmp_path)
