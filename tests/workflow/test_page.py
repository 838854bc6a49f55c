"""The page of a finished preset: its sentences are the tables' numbers, and a browser shows it without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest

from workflow_tree import Tree

PAGE = "results/report.html"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


class Sentences(HTMLParser):
    """The sentences on top of a page, and every address that it would load something from."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loaded: list[str] = []
        self._inside = self._in_list = False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self._in_list = self._in_list or (tag == "ul" and given.get("class") == "answer")
        if tag == "li" and self._in_list:
            self._inside = True
            self.found.append("")
        if address := given.get("src") or (given.get("href") if tag == "link" else None):
            self.loaded.append(address)

    def handle_endtag(self, tag):
        self._in_list = self._in_list and tag != "ul"
        self._inside = self._inside and tag != "li"

    def handle_data(self, data):
        if self._inside:
            self.found[-1] += data


@pytest.fixture(scope="module")
def sentences(finished: Tree) -> Sentences:
    parser = Sentences()
    parser.feed(finished.read(PAGE))
    return parser


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_sentences_are_the_tables_numbers(finished: Tree, sentences: Sentences):
    cells = pd.read_csv(finished.root / "results/tables/tiny/auc.csv")
    means = cells[(cells["task"] == "mean") & (cells["backbone"] == "mmoe")]
    best = means.loc[means["mean"].idxmax()]
    told = next(sentence for sentence in sentences.found if sentence.startswith("Best mean AUC"))
    assert f"on MMOE, {best['mean']:.4f}" in told
    pub = means.set_index("balancer").loc["pub"]
    if best["balancer"] != "pub":  # else it is said with the best
        told = next(sentence for sentence in sentences.found if sentence.startswith("PUB "))
        assert ("not distinguishable" in told) == (pub["p"] > 0.05)
    difference, low, high, steps = re.search(
        r"on MMOE.*?([+−][.\d]+) \[(\S+), (\S+)\] against LS.*?a step takes (\S+) times", told
    ).groups()
    assert number(difference) == pytest.approx(pub["difference"], abs=6e-5)
    assert number(low) < number(difference) < number(high)
    assert (pub["p"] > 0.05) == (number(low) < 0 < number(high))
    speeds = pd.read_csv(finished.root / "results/tables/tiny/ne.csv")
    speed = speeds[(speeds["metric"] == "relative_throughput") & (speeds["balancer"] == "pub")]["mean"].item()
    assert number(steps) == pytest.approx(1 / speed, abs=0.006)


def test_the_terminal_says_the_pages_sentences(tree: Tree, sentences: Sentences):
    (tree.root / PAGE).unlink()
    shown = tree.call("mtbalance", "snakemake", "--cores", "2").splitlines()
    assert f"{PAGE} shows everything" in shown[-len(sentences.found) - 1]
    assert shown[-len(sentences.found) :] == [f"  - {sentence}" for sentence in sentences.found]


def test_the_page_loads_nothing_and_is_small(finished: Tree, sentences: Sentences):
    assert [address for address in sentences.loaded if not address.startswith("data:")] == []
    assert (finished.root / PAGE).stat().st_size < 10e6


def test_every_run_has_a_link_to_its_record(finished: Tree):
    links = set(re.findall(r'href=\\?"\.\./(results/runs/[^"\\]+\.json)', finished.read(PAGE)))
    records = {path.relative_to(finished.root).as_posix() for path in finished.root.glob("results/runs/**/*.json")}
    assert links == records


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_the_leaderboard_and_the_plots(finished: Tree):
    shown = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom", f"file://{finished.root / PAGE}"],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert not re.findall(r"CONSOLE.*(?:Error|error).*", shown.stderr)
    page = shown.stdout
    assert page.count("js-plotly-plot") >= 3
    assert "dtsp-panesContainer" in page
    board = page[page.index('<table id="leaderboard-tiny"') :]
    body = board[board.index("<tbody") : board.index("</tbody")]
    assert len(re.findall(r"/mmoe/pub/seed-0\.json", body)) == 1
    assert body.count("<tr") == 4 + 3, "a row for each backbone and balancer, and for each simple model"
