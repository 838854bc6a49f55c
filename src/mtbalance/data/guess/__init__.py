"""A first block of ``params.yaml`` for a table that nobody has described: guesses, to be read and corrected."""
