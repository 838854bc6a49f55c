"""Printed names of backbones, balancers, metrics and data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from mtbalance.config.variants import parsed

BACKBONES = {
    "single_task": "STL",
    "segnet": "STL",
    "shared_bottom": "Shared bottom",
    "mmoe": "MMOE",
    "ple": "PLE",
    "split_segnet": "Split SegNet",
    "mtan": "MTAN",
}


class Metric(NamedTuple):
    """The printed name of a metric, and its unit and decimals."""

    title: str
    factor: float
    """Printed value over recorded value."""
    digits: int


METRICS = {
    "auc": Metric("AUC", 1, 4),
    "mean_auc": Metric("AUC", 1, 4),
    "ne": Metric("NE", 1, 4),
    "log_loss": Metric("log loss", 1, 4),
    "rmse": Metric("RMSE", 1, 4),
    "mae": Metric("MAE", 1, 4),
    "r2": Metric("R²", 1, 4),
    "mean_r2": Metric("R²", 1, 4),
    "mean_score": Metric("AUC and R²", 1, 4),
    "miou": Metric("mIoU %", 100, 2),
    "pixel_accuracy": Metric("pixel acc. %", 100, 2),
    "abs_error": Metric("abs. err. m", 1, 4),
    "rel_error": Metric("rel. err.", 1, 4),
    "mean_angle": Metric("mean angle °", 1, 2),
    "median_angle": Metric("median angle °", 1, 2),
    "within_11_25": Metric("within 11.25° %", 100, 2),
    "within_22_5": Metric("within 22.5° %", 100, 2),
    "within_30": Metric("within 30° %", 100, 2),
    "delta_m": Metric("Δm %", 1, 2),
    "delta_m_by_task": Metric("Δm by task %", 1, 2),
}
BALANCERS = {
    "ls": "LS",
    "fixed": "Fixed",
    "mgda": "MGDA",
    "mgda_ub": "MGDA-UB",
    "nashmtl": "NashMTL",
    "nashmtl_nyuv2": "NashMTL (every step)",
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
    "gls": "GLS",
    "stch": "STCH",
    "moco": "MoCo",
    "dwa": "DWA",
    "clippy_adam": "ClippyAdam",
    "equal_update": "Equal updates",
    "adatask": "AdaTask",
    "pub": "PUB",
    "pub_fast": "PUB (one pass)",
    "pub_clippy": "PUB+Clippy",
    "pub_adatask": "PUB+AdaTask",
    "multibalance": "MultiBalance",
    "fairgrad": "FairGrad",
    "pbi": "PBI",
    "cosmos": "COSMOS",
    "ldc_mtl": "LDC-MTL",
    "cov_weighting": "CoV-Weighting",
    "slaw": "SLAW",
    "igb": "IGB",
    "go4align": "GO4Align",
    "upgrad": "UPGrad",
    "dualproj": "DualProj",
    "config": "ConFIG",
    "gradvac": "GradVac",
    "gradcraft": "GradCraft",
    "metabalance": "MetaBalance",
    "excess_mtl": "ExcessMTL",
    "pcd": "PCD",
    "db_mtl": "DB-MTL",
    "sdmgrad": "SDMGrad",
    "krum": "Krum",
    "trimmed_mean": "Trimmed mean",
}

SETTINGS = "_nyuv2"
"""A balancer of this ending is the one without it, with its authors' settings for NYUv2."""
PAPERS_DATA = ("aliexpress_", "nyuv2")
"""How the names of the papers' data sets begin."""


def backbone_name(backbone: str) -> str:
    """The printed name of a backbone; a name that is not known here stays as it is in ``params.yaml``."""
    return BACKBONES.get(backbone, backbone)


def backbone_rank(backbone: str) -> int:
    """The place of a backbone in tables: those that share nothing first, names that are not known here last."""
    known = list(BACKBONES)
    return known.index(backbone) if backbone in known else len(known)


def balancer_name(balancer: str) -> str:
    """The printed name of a balancer; a name that is not known here stays as it is in ``params.yaml``.

    A variant's options follow in parentheses: ``PUB (rescale sum_to_1, every 1)``, ``LS (lr 0.006)``.
    """
    name, options, training = parsed(balancer)
    text = options_text(options | training)
    return BALANCERS.get(name, name) + (f" ({text})" if text else "")


def options_text(options: Mapping[str, Any]) -> str:
    """Options by their paths, as text: ``rescale sum_to_1, lr 0.006``."""
    return ", ".join(f"{name} {options[path]}" for path, name in option_names(options).items())


def option_names(paths: Iterable[str]) -> dict[str, str]:
    """The printed names of options: the last key of their path, or all of it where two would have the same name."""
    last = {path: path.rpartition(".")[2] for path in paths}
    shared = Counter(last.values())
    return {path: name if shared[name] == 1 else path for path, name in last.items()}


def is_single_task(row: pd.Series) -> bool:
    """True for single-task learning (STL): models that share nothing, each trained on its own loss alone.

    ``row`` is a run's row of the collected table: with ``shares``, which the record found in the model, and with the
    balancer's ``level``, ``rule`` and ``manipulation``.
    """
    plain = row["level"] == "loss" and row["rule"] == "equal" and row["manipulation"] == "none"
    return bool(plain and not row["shares"])


def method_name(row: pd.Series, baseline: str) -> str:
    """The name of a run's row in tables: ``STL``, ``MMOE (LS)`` for the baseline, ``MMOE+PUB`` for the others."""
    backbone, balancer = backbone_name(row["backbone"]), balancer_name(row["balancer"])
    if row["balancer"] != baseline:
        return f"{backbone}+{balancer}"
    return backbone if is_single_task(row) else f"{backbone} ({balancer})"


def is_a_papers(dataset: str) -> bool:
    """True for a data set of one of the papers, by its name or its heading."""
    return dataset.startswith(PAPERS_DATA)


def dataset_heading(dataset: str, synthetic: bool) -> str:
    """The name of a data set in a heading, where synthetic data are always marked."""
    return f"{dataset} (synthetic data)" if synthetic else dataset


def heading_of(row: pd.Series) -> str:
    """The name in a heading of the data set that a row of numbers is of."""
    return dataset_heading(str(row["dataset"]), bool(row["synthetic"]))


def data_named(frame: pd.DataFrame) -> str:
    """The names of all data sets of a collected table, as headings have them."""
    synthetic = frame.drop_duplicates("dataset").set_index("dataset")["synthetic"].astype(bool)
    parts = ((", ".join(synthetic.index[synthetic == made]), made) for made in (False, True))
    return ", ".join(dataset_heading(names, made) for names, made in parts if names)
