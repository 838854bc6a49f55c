"""Backbones: models of several tasks, one per file, in a folder for each kind of problem."""
