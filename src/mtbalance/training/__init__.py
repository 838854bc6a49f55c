"""Training: one run from its configuration and its data to its record."""
