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
