"""mtbalance: balance the training of one model on several tasks."""

__version__ = "0.1.0"
