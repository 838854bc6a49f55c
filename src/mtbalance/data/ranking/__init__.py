"""Ranking: rows of identifiers, numbers and labels, from raw files to training batches."""
