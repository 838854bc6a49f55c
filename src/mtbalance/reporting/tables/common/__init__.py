"""Tables of experiments of any kind."""
