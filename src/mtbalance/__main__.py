"""The entry point of the command ``mtbalance``.

The command needs more packages than the library does. If one is missing, the message says what to install.
"""

from __future__ import annotations

import sys

from mtbalance.forkserver.client import run


def main() -> None:
    """Run the command line."""
    try:
        run("mtbalance.cli")
    except ModuleNotFoundError as error:
        sys.exit(f"mtbalance: the command needs {error.name}; install it with: pip install 'mtbalance[workflow]'")


if __name__ == "__main__":
    main()
