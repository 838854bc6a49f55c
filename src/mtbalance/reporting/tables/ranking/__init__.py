"""Tables of ranking experiments."""
