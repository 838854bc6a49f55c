"""Binary ranking: will this row be clicked, bought, ...?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor
from torch.nn import functional

from mtbalance.errors import UserError


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy (natural logarithm) of logits [B] against targets [B] in {0, 1}."""
    return functional.binary_cross_entropy_with_logits(logits, targets)


def metrics(probabilities: NDArray[np.float64], targets: NDArray[np.int8]) -> dict[str, float]:
    """AUC, log loss and normalised entropy of probabilities [N] against targets [N].

    Normalised entropy is the log loss over the entropy of the label rate of these very rows (He et al. 2014): 1 is
    what a constant prediction of that rate reaches, lower is better. Raises ``UserError`` where only one label
    occurs: none of the three is defined then.
    """
    rate = float(targets.mean())
    if rate in (0.0, 1.0):
        raise UserError(f"all {len(targets)} labels are {int(rate)}: AUC and normalised entropy are undefined")
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    value = float(log_loss(targets, probabilities))
    return {
        "auc": float(roc_auc_score(targets, probabilities)),
        "log_loss": value,
        "ne": value / float(entropy),
    }
