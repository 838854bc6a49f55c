"""Figures of experiments of any kind."""
