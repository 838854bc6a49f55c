"""Limits of a download that a test can wait for."""

from mtbalance.data.files.fetching.limits import Limits

SHORT = Limits(silent_s=0.15, window_s=0.15, slowest=1000.0, most_bytes=10**18, pauses=(0.0, 0.0), patience_s=0.1)
