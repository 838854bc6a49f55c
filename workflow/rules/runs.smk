rule train:
    input:
        data=prepared_of,
        code=run_sources,
    output:
        f"results/runs/{CELL}.json",
    log:
        f"logs/train/{CELL}.log",
    benchmark:
        f"benchmarks/train/{CELL}.tsv"
    # One thread a run: the same numbers alone or beside other runs.
    threads: 1
    resources:
        mem_mb=4000,
        gpu=0,
    params:
        config=run_config,
        checkpoint=f"results/checkpoints/{CELL}.pt",
    shell:
        "mtbalance train"
        " --config {params.config:q}"
        " --data data/processed/{wildcards.dataset}"
        " --checkpoint {params.checkpoint}"
        " --output {output}"
        " > {log} 2>&1"


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
