import platform
import re
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mtbalance.training.environment import peak_memory

PROGRAM = """
import resource
import torch
from mtbalance.training.memory import keep_freed_memory

keep_freed_memory()
found = []
for _ in range(40):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(12 * 2**20)  # 48 MB, freed at once
    found.append((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / (48 * 2**20))
print(sum(found[-10:]) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.5, "tensors are still made of fresh pages"  # the first may be, until one fits


@pytest.mark.skipif(sys.platform != "linux", reason="the system is not Linux")
def test_peak_memory_is_in_megabytes_on_linux_and_where_the_system_counts_bytes(monkeypatch):
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert told
    assert peak_memory(torch.device("cpu")) == pytest.approx(int(told[1]) / 2**10, rel=0.02)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=300 * 2**20))
    assert peak_memory(torch.device("cpu")) == 300
