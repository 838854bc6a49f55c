"""``python -m mtbalance.forkserver MODULE``: calls the module's function ``main``, in a forked process if it can."""

import sys

from mtbalance.forkserver.client import run

if __name__ == "__main__":
    run(sys.argv.pop(1))
