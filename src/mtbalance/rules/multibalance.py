"""stub"""
from mtbalance.rules import GramRule


class Multibalance(GramRule):
    """stub"""

    def __init__(self, tasks: int, *, rho: float = 0.1, gamma: float = 0.01, beta: float = 1.0) -> None:
        super().__init__(tasks)

    def weights(self, gram, losses):
        """stub"""
