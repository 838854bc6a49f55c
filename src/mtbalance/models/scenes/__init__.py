"""Backbones for images with three dense targets."""
