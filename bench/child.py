"""A bench's other process: what it prints and how much memory it takes."""

from __future__ import annotations

import os
import subprocess
import sys


def measured(script: str, *options: object) -> tuple[list[float], float]:
    """The numbers that ``script`` prints, and its peak megabytes.

    Raises ``subprocess.CalledProcessError`` if it fails. The caller should be small: a child's peak counts from its
    parent's size.
    """
    command = [sys.executable, script, *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        numbers = [float(value) for value in child.stdout.read().split()]
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return numbers, usage.ru_maxrss / 1024
