rule train:
    input:
        data=prepared_of,
        code=run_sources,
    output:
        record=f"results/runs/{CELL}.json",
    log:
        f"logs/train/{CELL}.log",
    benchmark:
        f"benchmarks/train/{CELL}.tsv"
    wildcard_constraints:
        experiment=alternatives(experiments_of("ranking")),
    # One thread a run: the same numbers alone or beside other runs.
    threads: 1
    resources:
        mem_mb=4000,
        gpu=0,
    params:
        config=run_config,
        checkpoint=f"results/checkpoints/{CELL}.pt",
        picture="",
    shell:
        "mtbalance train"
        " --config {params.config:q}"
        " --data data/processed/{wildcards.dataset}"
        " --checkpoint {params.checkpoint}"
        " --output {output.record}"
        " {params.picture}"
        " > {log} 2>&1"


use rule train as train_scenes with:
    output:
        record=f"results/runs/{CELL}.json",
        picture=report(
            PICTURE,
            caption="../report/picture.rst",
            category="Predictions",
            labels={
                "experiment": "{experiment}",
                "run": "{backbone} {balancer} {seed}",
            },
        ),
    wildcard_constraints:
        experiment=alternatives(experiments_of("scenes")),
    params:
        config=run_config,
        checkpoint=f"results/checkpoints/{CELL}.pt",
        picture=lambda wildcards, output: f"--picture {output.picture}",


rule time:
    input:
        data=prepared_of,
        code=timing_sources,
    output:
        "results/speed/{experiment}/{dataset}/{backbone}.json",
    log:
        "logs/time/{experiment}/{dataset}/{backbone}.log",
    # All cores, so that nothing else runs beside it.
    threads: workflow.cores
    params:
        config=timing_config,
        options=timing_options,
    shell:
        "mtbalance time {output}"
        " --config {params.config:q}"
        " --data data/processed/{wildcards.dataset}"
        " {params.options}"
        " > {log} 2>&1"
