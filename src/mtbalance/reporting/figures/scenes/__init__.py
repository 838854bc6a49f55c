"""Figures of scene experiments."""
