import pytest
import torch


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
