"""Workflow: the files of a project, their inputs, and the options of each job, as Snakemake's rules ask for them."""

from mtbalance.studies.toy_methods import METHODS as TOY_METHODS
from mtbalance.workflow.code import landscape_sources, page_sources, printed_numbers, reporting_sources, toy_sources
from mtbalance.workflow.data import alternatives
from mtbalance.workflow.results import Workflow

__all__ = [
    "TOY_METHODS",
    "Workflow",
    "alternatives",
    "landscape_sources",
    "page_sources",
    "printed_numbers",
    "reporting_sources",
    "toy_sources",
]
