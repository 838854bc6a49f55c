"""Tasks: the loss and the metrics of one output. One kind a file."""
