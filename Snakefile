from snakemake.utils import min_version

min_version("9.27")


configfile: "params.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/toy.smk"


localrules:
    all,
    data,
    download,
    toy,


rule all:
    default_target: True
    input:
        # Intermediate, and kept by DVC: only what a target asks for is made again when it is lost.
        [
            file
            for experiment in PARAMETERS.active()
            for file in records(experiment) + timings(experiment)
        ],
        expand("results/metrics/{experiment}.parquet", experiment=PARAMETERS.active()),
        expand("results/metrics/{preset}.json", preset=PARAMETERS.preset),
        [
            file
            for experiment in PARAMETERS.active()
            for file in tables(experiment) + figures(experiment) + pictures(experiment)
        ],


rule data:
    input:
        [
            file
            for experiment in PARAMETERS.active().values()
            for dataset in experiment.datasets
            for file in prepared(dataset)
        ],


rule toy:
    input:
        "results/figures/toy.png",
        "results/figures/toy.pdf",
        "results/figures/toy.csv",
