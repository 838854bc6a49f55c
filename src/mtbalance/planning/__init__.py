"""The plan of a preset, before anything starts: downloads, disk, time, and whose terms hold.

``disk.py`` is cheap and free of torch. ``timing.py`` trains a few steps.
"""
