"""Runs that end before their end, and what two runs must have in common."""

from mtbalance.training.watcher import Watcher


class Killed(Exception):
    """Stands for the end of the process."""


class Kills(Watcher):
    """Ends the process, or raises another error, in an epoch when a share of its rows is done."""

    def __init__(self, epoch, share, error=Killed):
        self.epoch, self.share, self.error = epoch, share, error

    def after_step(self, epoch, share):
        if epoch == self.epoch and share > self.share:
            raise self.error


def numbers(record):
    """What must be the same whenever the run is the same: everything but timings and memory."""
    whole = ("started", "ended", "speed", "peak_memory_mb", "environment")
    changing = dict.fromkeys(whole, True) | {"epochs": {"__all__": {"seconds"}}}
    return record.model_dump(exclude=changing)
