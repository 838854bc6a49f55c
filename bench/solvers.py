"""The search for Nash weights: Newton's method against the papers' sequence of convex problems in CVXPY.

Both solve the same Gram matrices, of rows whose lengths are spread over six powers of ten and which change a little
from one search to the next, as in training. The CVXPY problem is built once, before the clock starts, and every
sequence is begun at the last weights. The two take turns, ten searches at a time; each time is the median over
searches. The residual is the largest |a_k (G a)_k - 1| over searches and tasks; "none" counts searches without an
accepted solution. Fails where Newton is not 30 times faster or its residual is the larger.

    python bench/solvers.py --searches 50
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mtbalance.balancing.solvers.bargaining import Bargain, bargain
from mtbalance.balancing.solvers.ccp import bargain_by_ccp

TASKS = (2, 3, 8, 32)
NEEDED = 30
MAX_ITERATIONS = 20


@dataclass
class Searches:
    """What one method did."""

    seconds: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    rejected: int = 0

    def add(self, search: Callable[[], Bargain]) -> Bargain:
        """Run and time one search."""
        start = time.perf_counter()
        result = search()
        self.seconds.append(time.perf_counter() - start)
        self.residuals.append(result.residual)
        self.iterations.append(result.iterations)
        self.rejected += not result.accepted
        return result

    @property
    def milliseconds(self) -> float:
        """Of one search."""
        return 1e3 * float(np.median(self.seconds))

    def line(self, tasks: int, name: str) -> str:
        """A line of the table."""
        numbers = f"{self.milliseconds:9.3f} {np.mean(self.iterations):6.1f} {max(self.residuals):11.1e}"
        return f"{tasks:3d}  {name:<7} {numbers} {self.rejected:5d}"


def gram_matrices(tasks: int, searches: int) -> list[np.ndarray]:
    generator = np.random.default_rng(tasks)
    lengths = 10 ** generator.uniform(-3, 3, (tasks, 1))
    rows = generator.normal(size=(tasks, tasks + 8))
    found = []
    for _ in range(searches):
        rows = 0.9 * rows + 0.3 * generator.normal(size=rows.shape)
        found.append((lengths * rows) @ (lengths * rows).T)
    return found


def compare(tasks: int, searches: int) -> tuple[Searches, Searches]:
    newton, ccp, last = Searches(), Searches(), np.ones(tasks)
    matrices = gram_matrices(tasks, searches)
    bargain(matrices[0])
    bargain_by_ccp(matrices[0], last, MAX_ITERATIONS)  # builds the problem
    for block in (matrices[first : first + 10] for first in range(0, searches, 10)):
        for matrix in block:
            newton.add(lambda matrix=matrix: bargain(matrix))
        for matrix in block:
            result = ccp.add(lambda matrix=matrix, last=last: bargain_by_ccp(matrix, last, MAX_ITERATIONS))
            last = result.weights if result.accepted else last
    return newton, ccp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--searches", type=int, default=50)
    options = parser.parse_args()
    print("  K  method         ms  steps    residual  none       ratio")
    failed = []
    for tasks in TASKS:
        newton, ccp = compare(tasks, options.searches)
        ratio = ccp.milliseconds / newton.milliseconds
        print(f"{newton.line(tasks, 'newton')}\n{ccp.line(tasks, 'ccp')} {ratio:11.1f}")
        if ratio < NEEDED or max(newton.residuals) > max(ccp.residuals):
            failed.append(tasks)
    if failed:
        sys.exit(f"not {NEEDED} times faster at no larger residual for K = {failed}")


if __name__ == "__main__":
    main()
