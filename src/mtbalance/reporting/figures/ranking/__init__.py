"""Figures of ranking experiments."""
