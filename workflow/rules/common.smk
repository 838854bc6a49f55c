import os
import re
from shlex import quote

from snakemake.exceptions import WorkflowError

from mtbalance import sources
from mtbalance.config import TableData, canonical
from mtbalance.params import ParametersError, parse as parse_parameters
from mtbalance.studies.toy_methods import METHODS as TOY_METHODS

try:
    PARAMETERS = parse_parameters(config)
except ParametersError as error:
    raise WorkflowError(f"params.yaml is not valid:\n{error}")

CELL = "{experiment}/{dataset}/{backbone}/{balancer}/seed-{seed}"
PICTURE = "results/figures/{experiment}/predictions/{dataset}-{backbone}-{balancer}-seed-{seed}.png"
# What a data set is prepared to, by its kind of problem.
PREPARED = {
    "ranking": ["train.parquet", "valid.parquet", "test.parquet", "schema.json"],
    "scenes": ["train.parquet", "test.parquet", "schema.json"],
}
# What stand-in data are generated to, by their adapter.
GENERATED = {
    "synthetic": ["train.csv", "test.csv", "truth.csv", "generated.json"],
    "synthetic_scenes": ["scenes.zip", "generated.json"],
}


def alternatives(names):
    """Regular expression that matches exactly the given names."""
    return "|".join(map(re.escape, names)) or "(?!)"


def experiments_of(problem):
    """Names of the experiments with a kind of problem."""
    return [
        name
        for name, experiment in PARAMETERS.experiments.items()
        if experiment.model.problem == problem
    ]


# Files that are fetched, or placed by hand.
RAW_FILES = {
    file.path: file
    for dataset in PARAMETERS.datasets.values()
    if dataset.adapter not in GENERATED
    for file in dataset.raw().values()
}

# Numbers printed in papers.
PUBLISHED = sources.relative(
    sorted(sources.folder("reporting").glob("published/*.csv"))
)


wildcard_constraints:
    raw=alternatives(RAW_FILES),
    experiment=alternatives(PARAMETERS.experiments),
    dataset=alternatives(PARAMETERS.datasets),
    backbone=alternatives(PARAMETERS.backbones),
    balancer=alternatives(PARAMETERS.balancers),
    seed=r"\d+",
    table=r"\w+",
    figure=r"\w+",
    preset=alternatives(PARAMETERS.presets),


def datasets_with(**facts):
    """Regular expression that matches the data sets of a problem, or of an adapter."""
    return alternatives(
        [
            name
            for name, dataset in PARAMETERS.datasets.items()
            if all(getattr(dataset, key) == value for key, value in facts.items())
        ]
    )


def prepared(dataset):
    """Files of a prepared data set."""
    files = PREPARED[PARAMETERS.datasets[dataset].problem]
    return [f"data/processed/{dataset}/{file}" for file in files]


def prepared_of(wildcards):
    """Files of a prepared data set."""
    return prepared(wildcards.dataset)


def raw_of(wildcards):
    """Raw files that a data set is prepared from; where none can be had, `prepare` says what to place where."""
    dataset = PARAMETERS.datasets[wildcards.dataset]
    if dataset.adapter in GENERATED:
        files = GENERATED[dataset.adapter]
        return [f"data/raw/{wildcards.dataset}/{file}" for file in files]
    if isinstance(dataset, TableData):
        return [file.path for file in dataset.raw().values()]
    forms = [form for form in dataset.forms() if obtainable(form)]
    return [file.path for file in forms[0]] if forms else []


def obtainable(files):
    """Whether every file is there or has an address."""
    return all(file.urls or os.path.exists(file.path) for file in files)


def dataset_config(wildcards):
    """A data set's block of params.yaml, as canonical JSON."""
    return canonical(PARAMETERS.datasets[wildcards.dataset])


def generator_config(wildcards):
    """What a synthetic data set's raw files depend on, as JSON: all but how they are split."""
    return PARAMETERS.datasets[wildcards.dataset].model_dump_json(exclude={"split"})


def adapter_sources(wildcards):
    """Source files behind a data set's preparation."""
    adapter = PARAMETERS.datasets[wildcards.dataset].adapter
    return sources.relative(sources.closure([f"mtbalance.data.{adapter}"]))


def run_of(wildcards):
    """The configuration of one run."""
    return PARAMETERS.run(
        wildcards.experiment,
        wildcards.dataset,
        wildcards.backbone,
        wildcards.balancer,
        int(wildcards.seed),
    )


def run_config(wildcards):
    """The configuration of one run, as canonical JSON."""
    return canonical(run_of(wildcards))


def run_sources(wildcards):
    """Source files behind one run."""
    return sources.relative(sources.of_run(run_of(wildcards)))


def records(experiment):
    """Records of all runs of an experiment."""
    return [f"results/runs/{run.cell}.json" for run in PARAMETERS.runs(experiment)]


def records_of(wildcards):
    """Records of all runs of an experiment."""
    return records(wildcards.experiment)


def timings(experiment):
    """Timings of an experiment, one for each data set and backbone."""
    return [
        f"results/speed/{experiment}/{dataset}/{backbone}.json"
        for dataset, backbone in PARAMETERS.timed(experiment)
    ]


def timings_of(wildcards):
    """Timings of an experiment, one for each data set and backbone."""
    return timings(wildcards.experiment)


def timing_runs(wildcards):
    """The runs that are timed in turn."""
    return PARAMETERS.timing_runs(
        wildcards.experiment, wildcards.dataset, wildcards.backbone
    )


def timing_config(wildcards):
    """The configurations of the runs that are timed in turn, as JSON."""
    return "[" + ",".join(map(canonical, timing_runs(wildcards))) + "]"


def timing_options(wildcards):
    """Length of a timing, as options of `mtbalance time`."""
    timing = PARAMETERS.experiments[wildcards.experiment].timing
    return f"--blocks {timing.blocks} --steps {timing.steps}"


def timing_sources(wildcards):
    """Source files behind a timing."""
    files = sources.closure(["mtbalance.training.speed"])
    for run in timing_runs(wildcards):
        files += sources.of_run(run)
    return sources.relative(sorted(set(files)))


def tables(experiment):
    """Tables of an experiment."""
    names = PARAMETERS.experiments[experiment].tables
    return expand(
        "results/tables/{experiment}/{table}.{format}",
        experiment=experiment,
        table=names,
        format=["csv", "md", "tex"],
    )


def figures(experiment):
    """Figures of an experiment."""
    names = PARAMETERS.experiments[experiment].figures
    return expand(
        "results/figures/{experiment}/{figure}.{format}",
        experiment=experiment,
        figure=names,
        format=["png", "pdf"],
    )


def pictures(experiment):
    """Pictures of the predictions of every run, where there is something to look at."""
    if experiment not in experiments_of("scenes"):
        return []
    return [
        PICTURE.format(
            experiment=experiment,
            dataset=run.dataset,
            backbone=run.backbone.name,
            balancer=run.balancer.name,
            seed=run.seed,
        )
        for run in PARAMETERS.runs(experiment)
    ]


def metrics_of(wildcards):
    """Collected metrics of all experiments of a preset."""
    return expand(
        "results/metrics/{experiment}.parquet",
        experiment=PARAMETERS.presets[wildcards.preset],
    )


def experiment_params(wildcards):
    """What an experiment's results depend on, as canonical JSON."""
    return canonical(PARAMETERS.excerpt(wildcards.experiment))


def table_options(wildcards):
    """What tables and figures of an experiment print and compare, as options of `mtbalance table`."""
    title = PARAMETERS.experiments[wildcards.experiment].title
    return f"--title {quote(title)} --baseline {PARAMETERS.tables.baseline}"


def reporting_sources(module):
    """Source files behind a module of mtbalance.reporting."""
    return sources.relative(sources.closure([f"mtbalance.reporting.{module}"]))


def table_sources(wildcards):
    """Source files behind a table, and the printed numbers that it sets beside ours."""
    return reporting_sources(f"tables.{wildcards.table}") + PUBLISHED


def figure_sources(wildcards):
    """Source files behind a figure."""
    return reporting_sources(f"figures.{wildcards.figure}")


def addresses(wildcards):
    """Where a raw file can be fetched, and its checksum, as options of `mtbalance fetch`."""
    file = RAW_FILES[wildcards.raw]
    options = [f"--url {quote(url)}" for url in file.urls]
    return " ".join(options + ([f"--sha256 {file.sha256}"] if file.sha256 else []))


def toy_sources(wildcards):
    """Source files behind a method's trajectories."""
    balancer = TOY_METHODS[wildcards.method]
    modules = [
        "studies.toy_trajectory",
        f"levels.{balancer['level']}",
        f"rules.{balancer['rule']}",
        "optimizers.adam",
    ]
    return sources.relative(sources.closure([f"mtbalance.{name}" for name in modules]))
