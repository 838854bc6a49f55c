import platform
import subprocess
import sys

import pytest

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
