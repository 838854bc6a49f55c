"""Backbones for rows of ids and numbers."""
