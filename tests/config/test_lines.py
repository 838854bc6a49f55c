"""Wrong parameter files: each is refused with the file, the line, the key, the reason, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtbalance.config.reading import ParametersError, parse, read_parameters

TEXT = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")

WRONG = {
    "a misspelt option": ("rule: nash, every: 10}  ", "rule: nash, evry: 10}  ", "did you mean every"),
    "a misspelt level": ("gradient, rule: pcgrad", "gradeint, rule: pcgrad", "did you mean gradient"),
    "a misspelt rule": ("rule: pcgrad}", "rule: pcgard}", "did you mean pcgrad"),
    "a rule where it is not defined": (
        "level: gradient, rule: graddrop",
        "level: loss, rule: graddrop",
        "at level loss",
    ),
    "a number out of range": ("rule: cagrad, c: 0.4", "rule: cagrad, c: -0.4", "not -0.4"),
    "an infinite number": ("rule: cagrad, c: 0.4", "rule: cagrad, c: .inf", "finite number"),
    "not a number": ("temperature: 2.0", "temperature: .nan", "finite number"),
    "text for a number": ("rule: famo, gamma: 0.001", "rule: famo, gamma: small", "not 'small'"),
    "an option of another rule": ("rule: pcgrad}", "rule: pcgrad, c: 0.4}", "unknown key"),
    "a balancer that stands there twice": (
        "\n  famo: ",
        "\n  dwa: {level: loss, rule: equal}\n  famo: ",
        "keep one of",
    ),
    "a misspelt kind of backbone": ("{kind: ple,", "{kind: pel,", "did you mean ple"),
    "no experts": ("experts: 8}", "experts: 0}", "not 0"),
    "a misspelt adapter": ("adapter: synthetic\n", "adapter: sinthetic\n", "did you mean synthetic"),
    "a rate above one": ("click_rate: 0.2 ", "click_rate: 1.2 ", "not 1.2"),
    "a backbone that is not there": ("\n      segnet: [ls]", "\n      sgnet: [ls]", "did you mean segnet"),
    "a balancer that is not there": ("\n      segnet: [ls]", "\n      segnet: [lss]", "did you mean ls"),
    "a balancer named twice": ("\n      segnet: [ls]", "\n      segnet: [ls, ls]", "ls: named more than once"),
    "a seed named twice": ("seeds: [0, 1]\n", "seeds: [0, 0]\n", "0: named more than once"),
    "a seed that is too large": ("seeds: [0, 1]\n", "seeds: [4294967296]\n", "less than 4294967296"),
    "dropout of everything": ("dropout: 0.0", "dropout: 1.0", "less than 1"),
    "a negative rate": ("lr: 3.0e-3", "lr: -3.0", "not -3.0"),
    "an optimizer that is not there": ("{lr: 3.0e-3", "{name: adm, lr: 3.0e-3", "did you mean adam"),
    "a table that is not there": ("tables: [auc, ne, levels]", "tables: [auc, nee, levels]", "did you mean ne"),
    "a preset that is not there": ("preset: demo ", "preset: dmeo ", "did you mean demo"),
    "an experiment that is not there": ("demo: [demo,", "demo: [dmeo,", "did you mean demo"),
}
"""A text of the project's own file, a wrong text in its place, and a part of the message."""


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_told_with_its_line(name: str, tmp_path: Path):
    right, wrong, message = WRONG[name]
    assert right in TEXT
    text = TEXT.replace(right, wrong, 1)
    pairs = zip(TEXT.splitlines(), text.splitlines(), strict=False)
    line = next(number for number, (before, after) in enumerate(pairs, 1) if before != after)
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    told = str(caught.value).splitlines()
    assert any(fault.startswith(f"{path}:{line}: ") and message in fault for fault in told), (line, told)


def test_parameters_that_the_command_line_changed_are_not_searched_for_in_the_file(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT, encoding="utf-8")
    raw = read_parameters(path).model_dump(mode="json") | {"preset": "dmeo"}
    with pytest.raises(ParametersError, match=r"^preset: 'dmeo' is not defined"):
        parse(raw, path)


def test_a_fault_in_a_line_that_others_refer_to_is_told_once(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("model: &small {embedding: 8,", "model: &small {embeding: 8,"), encoding="utf-8")
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    (told,) = str(caught.value).splitlines()
    assert "demo.model.embeding: unknown key" in told
    assert told.endswith("more that refer to this line")


def test_a_fault_in_a_merged_block_has_the_line_of_that_block(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("click_rate: 0.2 ", "click_rate: 1.2 "), encoding="utf-8")
    (line,) = (number for number, text in enumerate(TEXT.splitlines(), 1) if "click_rate: 0.2 " in text)
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    assert [fault.partition(": ")[0] for fault in str(caught.value).splitlines()] == [f"{path}:{line}"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("seeds: [0, 1]\n", "seeds: 2\n", "experiments.demo.seeds: a list is wanted, in brackets, not 2"),
        ("every: 10}  ", "every: ten}  ", "balancers.nashmtl.every: a whole number is wanted, not 'ten'"),
        ("channels_last: true\n", "channels_last: perhaps\n", "channels_last: true or false is wanted, not 'perhaps'"),
    ],
)
def test_a_wrong_kind_of_value_is_told_in_plain_words(right: str, wrong: str, message: str, tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    assert message in str(caught.value)


def test_a_name_among_many_is_answered_with_those_that_are_like_it(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("\n      segnet: [ls]", "\n      segnet: [pbu]"), encoding="utf-8")
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    (told, *_) = (line for line in str(caught.value).splitlines() if "'pbu'" in line)
    assert "others (did you mean pub?)" in told
    assert len(told) < 250


def test_text_that_is_no_yaml_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text("preset: demo\npresets: {demo: [demo\n", encoding="utf-8")
    with pytest.raises(ParametersError, match=rf"^{path}:3: cannot be read as YAML: while parsing a flow"):
        read_parameters(path)
