"""How backbones, balancers and data sets are called in tables and figures."""

from __future__ import annotations

BACKBONES = {
    "single_task": "STL",
    "shared_bottom": "Shared bottom",
    "mmoe": "MMOE",
    "ple": "PLE",
    "mtan": "MTAN",
}
BALANCERS = {
    "ls": "LS",
    "mgda": "MGDA",
    "mgda_ub": "MGDA-UB",
    "nashmtl": "NashMTL",
    "imtl_g": "IMTL-G",
    "imtl_l": "IMTL-L",
    "pcgrad": "PCGrad",
    "cagrad": "CAGrad",
    "graddrop": "GradDrop",
    "gradnorm": "GradNorm",
    "aligned_mtl": "Aligned-MTL",
    "uncertainty": "Uncertainty",
    "bandit_mtl": "BanditMTL",
    "famo": "FAMO",
    "rlw": "RLW",
    "si": "SI",
    "moco": "MoCo",
    "dwa": "DWA",
    "clippy_adam": "ClippyAdam",
    "adatask": "AdaTask",
    "pub": "PUB",
    "pub_clippy": "PUB+Clippy",
    "pub_adatask": "PUB+AdaTask",
    "multibalance": "MultiBalance",
}


def backbone_name(backbone: str) -> str:
    """The printed name of a backbone; a name that is not known here stays as it is in ``params.yaml``."""
    return BACKBONES.get(backbone, backbone)


def backbone_rank(backbone: str) -> int:
    """Where a backbone stands in tables: from sharing nothing to sharing most cleverly, unknown ones last."""
    known = list(BACKBONES)
    return known.index(backbone) if backbone in known else len(known)


def balancer_name(balancer: str) -> str:
    """The printed name of a balancer; a name that is not known here stays as it is in ``params.yaml``."""
    return BALANCERS.get(balancer, balancer)


def method_name(backbone: str, balancer: str, baseline: str) -> str:
    """The name of a table's row: ``STL``, ``MMOE (LS)`` for the baseline, ``MMOE+PUB`` for the others."""
    if balancer != baseline:
        return f"{backbone_name(backbone)}+{balancer_name(balancer)}"
    alone = backbone == "single_task" and balancer == "ls"
    return backbone_name(backbone) if alone else f"{backbone_name(backbone)} ({balancer_name(balancer)})"


def dataset_heading(dataset: str, synthetic: bool) -> str:
    """The name of a data set over its columns or panel; synthetic data always say so."""
    return f"{dataset} (synthetic data)" if synthetic else dataset
