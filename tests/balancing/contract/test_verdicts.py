"""Rules that are broken in one way each: the check that finds it, what it says that it found, and what to do."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

from mtbalance.balancing.contract.checks import CHECKS, verdicts
from mtbalance.balancing.contract.loading import load
from mtbalance.balancing.contract.steps import shown
from mtbalance.errors import UserError

HEAD = '''"""A rule that is broken."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.rules import GramRule, LossRule, RowRule
'''
WITH_SOURCE = '"""Ones.\n\n    Source: an example.\n    """'
NAMES = [check.name for check in CHECKS]


def a_rule(base: str, body: str) -> str:
    """The text of a file with one rule."""
    return f"{HEAD}\n\nclass Mine({base}):\n    {WITH_SOURCE}\n\n" + textwrap.indent(
        textwrap.dedent(body).strip(), "    "
    )


def judged(folder: Path, text: str, *options: str) -> dict:
    """The verdicts on the rule in a file outside the package, by check."""
    file = folder / "my_rule.py"
    file.write_text(text + "\n")
    return {verdict.check: verdict for verdict in verdicts(load(str(file), options))}


ONES = "def weights(self, *_):\n    return np.ones(self.tasks)"
INIT = "super().__init__(tasks)"
SUM = "return [row.sum(dim=0) for row in rows], np.ones(self.tasks)"
BROKEN = {
    "nan on zero rows": (
        "GramRule",
        "def weights(self, gram, losses):\n    return 1 / np.sqrt(gram.diagonal())",
        {"one task": "", "zero rows": "rows [[0., 0., 0.], [1., 2., 3.]]*weights [inf, *divide by zero*(line 19)"},
        "Guard the division",
    ),
    "torch is not imported": (
        "RowRule",
        "def combine(self, rows, losses):\n    return [torch.sum(row, 0) for row in rows], np.ones(self.tasks)",
        {"ordinary rows": "rows [[-4., 1., 1.], [6., 1., 1.]]*NameError at line 19, `return [torch.sum*"},
        "Define torch, or import it in the method",
    ),
    "global random numbers of numpy": (
        "LossRule",
        "draws = True\ndef weights(self, losses):\n    return np.random.uniform(size=self.tasks)",
        {"seed": "*global random numbers of numpy.random"},
        "Draw from self.generator",
    ),
    "global random numbers of torch": (
        "RowRule",
        "draws = True\ndef combine(self, rows, losses):\n    import torch\n    return "
        "[row.sum(dim=0) * torch.rand((), dtype=row.dtype) for row in rows], np.ones(self.tasks)",
        {"seed": "*global random numbers of torch"},
        "Draw from self.generator",
    ),
    "draws, and does not say so": (
        "LossRule",
        "def weights(self, losses):\n    return self.generator.uniform(size=self.tasks)",
        {"seed": "*draws is False"},
        "Set draws = True",
    ),
    "says that it draws": ("LossRule", f"draws = True\n{ONES}", {"seed": "draws is True*"}, "leave draws out"),
    "forgets its state": (
        "LossRule",
        f"def __init__(self, tasks):\n    {INIT}\n    self.mean = np.zeros(tasks)\n"
        "def weights(self, losses):\n    self.mean = (self.mean + losses) / 2\n    return self.mean / self.mean.mean()",
        {
            "resume": "step 31*weights [0.8033, 1.2298, 0.967]*differ in self.mean; state_dict() has nothing",
            "training": "",
        },
        "Let state_dict() give self.mean",
    ),
    "forgets its random numbers": (
        "LossRule",
        "draws = True\ndef weights(self, losses):\n    return self.generator.uniform(size=self.tasks)\n"
        "def state_dict(self):\n    return {}\ndef load_state_dict(self, state):\n    pass",
        {"resume": "*differ in self.generator*", "training": ""},
        "Begin with super().state_dict()",
    ),
    "a state that is no JSON": (
        "LossRule",
        f"def state_dict(self):\n    return {{'last': np.ones(2)}}\n{ONES}",
        {"resume": "*ndarray*"},
        "array.tolist()",
    ),
    "a state that changes": (
        "RowRule",
        f"def __init__(self, tasks):\n    {INIT}\n    self.seen = []\n"
        f"def combine(self, rows, losses):\n    self.seen.append(1)\n    {SUM}\n"
        "def state_dict(self):\n    return {'seen': self.seen}\n"
        "def load_state_dict(self, state):\n    self.seen = state['seen']",
        {"saved state": "*its seen had changed"},
        "give copies",
    ),
    "weights of a wrong shape": (
        "LossRule",
        "def weights(self, losses):\n    return np.ones((self.tasks, 1))",
        {"ordinary rows": "two tasks: *weights of shape (2, 1)"},
        "shape (2,)",
    ),
    "weights of a wrong type": (
        "LossRule",
        "def weights(self, losses):\n    return [1.0] * self.tasks",
        {"ordinary rows": "*weights that are a list"},
        "array of 2",
    ),
    "a joint row of a wrong type": (
        "RowRule",
        "def combine(self, rows, losses):\n    return [row.double().sum(dim=0) for row in rows], np.ones(self.tasks)",
        {"ordinary rows": "*joint row of [2] float64, [1] float64 for*[2, 2] float32, [2, 1] float32"},
        "without its first dimension: [2] float32, [1] float32",
    ),
    "a number is no row": (
        "RowRule",
        "def combine(self, rows, losses):\n    return [row[:, :].sum(dim=0) for row in rows], np.ones(self.tasks)",
        {"shapes": "in went rows over tensors of shapes [3, 4], [5], [], [0]; out came IndexError at line 19*"},
        "any shape",
    ),
    "the first task is the main one": (
        "GramRule",
        "def weights(self, gram, losses):\n    return np.linspace(2, 1, self.tasks)",
        {"permutation": "*order [1, 0] out came [2., 1.], not [1., 2.]*"},
        "symmetric = False",
    ),
    "rounding decides": (
        "GramRule",
        "def weights(self, gram, losses):\n    return np.where(gram.diagonal() % 1e-9 > 5e-10, 1.0, 2.0)",
        {"permutation": None, "precision": "*torch.float32 rows*torch.float64 rows"},
        "float32 at least",
    ),
    "not in bfloat16": (
        "RowRule",
        "def combine(self, rows, losses):\n    import torch\n    return [torch.from_numpy(row.numpy().sum(axis=0)) "
        "for row in rows], np.ones(self.tasks)",
        {"precision": "*in bfloat16*TypeError*", "shapes": None},
        "float32 at least",
    ),
    "losses are changed": (
        "LossRule",
        "def weights(self, losses):\n    losses /= losses.sum()\n    return np.ones(self.tasks)",
        {"inputs": "*the losses were changed"},
        "gram.copy()",
    ),
    "the Gram matrix is changed": (
        "GramRule",
        "def weights(self, gram, losses):\n    gram += np.eye(self.tasks)\n    return np.ones(self.tasks)",
        {"inputs": "*the inner products (gram) were changed"},
        "gram.copy()",
    ),
    "the rows are changed": (
        "RowRule",
        f"def combine(self, rows, losses):\n    for row in rows:\n        row.mul_(2)\n    {SUM}",
        {"inputs": "*the rows were changed"},
        "row.clone()",
    ),
    "the losses are kept": (
        "LossRule",
        f"def __init__(self, tasks):\n    {INIT}\n    self.last = np.ones(tasks)\n"
        "def weights(self, losses):\n    last, self.last = self.last, losses\n    return last / last.sum()\n"
        "def state_dict(self):\n    return {'last': self.last.tolist()}\n"
        "def load_state_dict(self, state):\n    self.last = np.array(state['last'])",
        {"inputs": "*the next weights were [0.3333, 0.3333, 0.3333], not *"},
        "Keep copies",
    ),
    "its memory is handed out": (
        "LossRule",
        f"def __init__(self, tasks):\n    {INIT}\n    self.last = np.ones(tasks)\n"
        "def weights(self, losses):\n    return self.last",
        {"inputs": "*the next weights were [7., 7., 7.], not [1., 1., 1.]"},
        "self.last.copy()",
    ),
    "an absolute threshold": (
        "GramRule",
        "def weights(self, gram, losses):\n    return np.where(gram.diagonal() < 1e-16, np.nan, 1.0)",
        {"one task": "", "zero rows": "", "scales": "tiny: *e-12*nan*"},
        "not with 1e-8",
    ),
    "dependent rows": (
        "GramRule",
        "def weights(self, gram, losses):\n    return np.linalg.inv(gram + 1e-30 * np.eye(self.tasks)).sum(axis=0)",
        {"dependent rows": "rank one: *LinAlgError at line 19*Singular*", "opposed rows": None, "precision": None},
        "no inverse",
    ),
    "opposed rows": (
        "GramRule",
        "def weights(self, gram, losses):\n    return np.ones(self.tasks) / (gram.sum() if gram.any() else 1)",
        {"opposed rows": "opposed: *[[1., -2.], [-1., 2.]]*weights [inf, inf]*"} | dict.fromkeys(("dependent rows",)),
        "The sum of opposed rows is zero",
    ),
    "large losses": (
        "LossRule",
        "def weights(self, losses):\n    return np.exp(losses)",
        {"scales": "step 1: *losses [1.e+12, 1.e+09, 2.e+12]; out came the weights [inf, inf, inf]*overflow*"},
        "Subtract the largest before exp()",
    ),
    "an option without a sentence": (
        "LossRule",
        f"def __init__(self, tasks, power: float = 1.0, *, rate: float = 2.0):\n    {INIT}\n{ONES}",
        {"options": "power is not keyword-only; rate has no sentence"},
        "Annotated",
    ),
    "a default that is refused": (
        "LossRule",
        f"def __init__(self, tasks, *, rate: Annotated[int, 'Rate.'] = 'x'):\n    {INIT}\n{ONES}",
        {"options": "rate: its own default 'x' is refused*"},
        "Annotated",
    ),
    "an option without a default": (
        "LossRule",
        f"def __init__(self, tasks, *, rate: Annotated[int, 'Rate.']):\n    {INIT}\n{ONES}",
        {"options": "rate has no default", "constructor": "TypeError*'rate'"},
        "Annotated",
    ),
    "a level that does not exist": (
        "LossRule",
        f"levels = ('loss', 'layer')\n{ONES}",
        {"levels": "*there are gradient, loss, representation, update"},
        "levels that exist",
    ),
    "a level that shows no losses": (
        "LossRule",
        f"levels = ('loss', 'gradient')\n{ONES}",
        {"levels": "it claims level gradient*"},
        "Claim only loss",
    ),
    "no second look": ("LossRule", f"looks_again = True\n{ONES}", {"levels": "*no method observe"}, "Write observe"),
    "no weights": ("LossRule", "pass", {"constructor": "TypeError: Can't instantiate*weights*"}, "all methods"),
    "only in training": (
        "GramRule",
        "def weights(self, gram, losses):\n    if 1 < losses.sum() < 8 and gram.shape == (3, 3) and losses.std() != 0 "
        "and gram[0, 0] % 1:\n        raise OSError('no')\n    return np.ones(self.tasks)",
        {"training": "level representation, 3 tasks, step 1: OSError at line 20*", "permutation": None, "scales": None}
        | dict.fromkeys(("ordinary rows", "precision", "opposed rows", "resume")),
        "Correct what failed above",
    ),
}
"""The base, the body, and the checks that fail, each with what was found. The advice is that of the check that is
described, or of the last one; None: it may fail or not."""


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_told_what_is_wrong(tmp_path, case):
    base, body, expected, advice = BROKEN[case]
    found = judged(tmp_path, a_rule(base, body))
    assert list(found) == NAMES
    failed = {name for name, verdict in found.items() if verdict.outcome == "fails"}
    wanted = {name for name, text in expected.items() if text is not None}
    assert wanted <= failed <= set(expected), {name: found[name].found for name in failed}
    for name, text in expected.items():
        if text:
            position = 0
            for part in text.split("*"):
                assert part in found[name].found[position:], found[name].found
                position = found[name].found.index(part, position) + len(part)
    described = [name for name, text in expected.items() if text]
    assert advice in found[described[0]].advice
    assert all(not verdict.advice for verdict in found.values() if verdict.outcome != "fails")


def test_what_fails_on_ordinary_rows_is_not_asked_further(tmp_path):
    found = judged(tmp_path, a_rule("LossRule", "def weights(self, losses):\n    raise KeyError('x')"))
    assert {found[name].found for name in NAMES[NAMES.index("seed") :]} == {"first: ordinary rows"}
    found = judged(tmp_path, a_rule("LossRule", "pass"))
    assert found["docstring"].outcome == "holds" and found["ordinary rows"].found == "first: constructor"


def test_a_rule_without_a_docstring_or_a_source(tmp_path):
    text = a_rule("LossRule", ONES)
    bare = judged(tmp_path, text.replace(f"    {WITH_SOURCE}\n\n", ""))["docstring"]
    assert bare.outcome == "fails" and "Mine has no docstring" in bare.found
    nameless = judged(tmp_path, text.replace("Source: an example.", "An example."))["docstring"]
    assert nameless.outcome == "fails" and "no `Source:`" in nameless.found and "Source: " in nameless.advice


def test_torch_at_import_is_found_with_its_line(tmp_path):
    text = a_rule("LossRule", ONES).replace("import numpy as np", "import numpy as np\nimport torch")
    light = judged(tmp_path, text)["light import"]
    assert light.outcome == "fails" and "at line 8, `import torch`" in light.found and "TYPE_CHECKING" in light.advice


def test_a_warning_of_numpy_is_a_failure_though_all_is_finite(tmp_path):
    body = "def weights(self, losses):\n    np.log(0 * losses)\n    return np.ones(self.tasks)"
    found = judged(tmp_path, a_rule("LossRule", body))["ordinary rows"]
    assert found.outcome == "fails" and "weights [1., 1.]" in found.found and "divide by zero" in found.found


def test_a_rule_with_a_main_task_says_so(tmp_path):
    body = "symmetric = False\ndef weights(self, gram, losses):\n    return np.linspace(2, 1, self.tasks)"
    found = judged(tmp_path, a_rule("GramRule", body))
    assert found["permutation"].outcome == "not asked"
    assert {verdict.outcome for name, verdict in found.items() if name != "permutation"} == {"holds"}


def test_options_are_given_as_name_and_value(tmp_path):
    body = f"""
    def __init__(self, tasks, *, mode: Annotated[str, "Mode."] = "a", size: Annotated[float, "Size."] = 1.0):
        {INIT}
        self.size = size if mode == "b" else np.nan

    def weights(self, losses):
        return np.full(self.tasks, self.size)
    """
    text = a_rule("LossRule", body)
    assert judged(tmp_path, text)["ordinary rows"].outcome == "fails"
    assert judged(tmp_path, text, "mode=b", "size=2.5")["ordinary rows"].outcome == "holds"
    with pytest.raises(UserError, match="write NAME=VALUE"):
        judged(tmp_path, text, "mode")
    with pytest.raises(UserError, match=r"^--option sise: unknown key; allowed: mode, size \(did you mean size\?\)$"):
        judged(tmp_path, text, "sise=1")
    with pytest.raises(UserError, match=r"^--option size: a number is wanted, not 'large'$"):
        judged(tmp_path, text, "size=large")


def test_the_rule_of_a_file_is_found(tmp_path):
    file = tmp_path / "my_rules.py"
    body = a_rule("LossRule", ONES)
    file.write_text(body + body.replace(HEAD, "").replace("Mine", "Other") + "\n")
    assert load(f"{file}:Other").rule.__name__ == "Other"
    with pytest.raises(UserError, match=r"Mine, Other: name one of them, as in my_rules.py:Mine"):
        load(str(file))
    with pytest.raises(UserError, match="did you mean Other"):
        load(f"{file}:Othr")
    with pytest.raises(UserError, match="not a Python file"):
        load(str(tmp_path / "nothing.py"))
    file.write_text(HEAD)
    with pytest.raises(UserError, match="defines no rule"):
        load(str(file))
    file.write_text("import numpy\nnumpy.nothing\n")
    with pytest.raises(UserError, match=r"cannot be imported: AttributeError at line 2, `numpy.nothing`"):
        load(str(file))


def test_numbers_are_shown_on_one_line():
    assert shown(np.array([1.0, 0.25, 1e-12])) == "[1.0e+00, 2.5e-01, 1.0e-12]"
    assert shown(np.arange(40.0).reshape(2, 20)) == "[[0., 1., ..., 18., 19.], [20., 21., ..., 38., 39.]]"
