import os
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

# This checkout's own source, in this process and in its jobs, wherever the package is installed from: `dvc exp run
# --temp` and a second clone would else run another checkout's.
SOURCE = str(Path(workflow.basedir) / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)
    paths = [SOURCE, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, paths)))

from mtbalance import places
from mtbalance.config import reading
from mtbalance.config.run import canonical
from mtbalance.data.manifest import refuse_damaged
from mtbalance.errors import UserError
from mtbalance.forkserver import server
from mtbalance.planning import disk
from mtbalance.workflow import (
    TOY_METHODS,
    Workflow,
    alternatives,
    landscape_sources,
    page_sources,
    printed_numbers,
    reporting_sources,
    toy_sources,
)


def read_parameters():
    """Read params.yaml as `configfile:` does, but without a traceback for a file that YAML cannot read."""
    try:
        workflow.configfile(places.PARAMETERS)
    except (ValueError, RecursionError):
        reading.refuse_unreadable(Path(places.PARAMETERS))
        raise


try:
    read_parameters()
    PARAMETERS = reading.parse(config, Path(places.PARAMETERS))
except reading.ParametersError as error:
    raise WorkflowError(str(error))

WORKFLOW = Workflow(PARAMETERS)

BEGAN = time.time()

NOT_IN_DVC = (
    "DVC does not know these results yet. To return to them later: dvc commit --force results, then git commit. Without"
    " that, dvc checkout refuses to go to another state, since it would lose them (--force does it all the same)."
)
"""What Snakemake says at the end if DVC did not call it."""


def refuse_to_start():
    """Stop before a job starts, and its old results are deleted, if the disk is too small or its data are damaged."""
    jobs = list(workflow.dag.needrun_jobs())
    made = {file for job in jobs for file in job.output}
    read = {file for job in jobs for file in job.input} - made
    try:
        disk.refuse_full_disk(PARAMETERS)
        for name in PARAMETERS.datasets:
            if not read.isdisjoint(WORKFLOW.splits(name)):
                refuse_damaged(Path(WORKFLOW.prepared_folder(name)))
    except UserError as error:
        raise WorkflowError(str(error))


def lift_limit():
    """Let local jobs start whenever a core is free.

    With its limit on the jobs that start within a time span, Snakemake looks at all files once a span for every job
    that has ended: after some hundred runs that takes a core.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


wildcard_constraints:
    raw=alternatives(WORKFLOW.raw_files()),
    experiment=alternatives(PARAMETERS.experiments),
    dataset=alternatives(PARAMETERS.datasets),
    backbone=alternatives(PARAMETERS.backbones),
    balancer=alternatives(PARAMETERS.balancer_names()),
    seed=r"\d+",
    table=r"\w+",
    figure=r"\w+",
    preset=alternatives(PARAMETERS.presets),


def ask(question, *names):
    """An input or params function: the answer to a question for the values of these wildcards."""
    return lambda wildcards: question(*(wildcards[name] for name in names))


def run_of(wildcards, seed):
    """The configuration of one run."""
    cell = [
        wildcards[name] for name in ("experiment", "dataset", "backbone", "balancer")
    ]
    return PARAMETERS.run(*cell, seed=int(seed))


def ask_of_run(question):
    """An input or params function: the answer to a question about the run of a job."""
    return lambda wildcards: question(run_of(wildcards, wildcards.seed))


def ask_of_seed(seed, question):
    """An input or params function: the answer to a question about the run with that seed, of a job with several."""
    return lambda wildcards: question(run_of(wildcards, seed))


def ask_of_timing(question):
    """An input or params function: the answer to a question about the runs that are timed in turn."""
    names = ("experiment", "dataset", "backbone")
    return lambda wildcards: question(
        PARAMETERS.timing_runs(*(wildcards[name] for name in names))
    )
