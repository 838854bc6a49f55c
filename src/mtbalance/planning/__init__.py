"""The plan of a preset before anything starts (downloads, disk, time, and whose terms hold), and its status afterwards.

``disk.py`` and ``status.py`` are cheap and free of torch. ``timing.py`` trains a few steps.
"""
