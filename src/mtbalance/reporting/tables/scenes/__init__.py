"""Tables of scene experiments."""
