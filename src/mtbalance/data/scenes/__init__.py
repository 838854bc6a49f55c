"""Scenes: images with a class, a depth and a surface normal for each pixel, from raw files to training batches."""
