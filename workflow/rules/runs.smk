# A rule for each set of files that runs write: experiments can measure every step, and keep more of each run.
for name, training in WORKFLOW.trainings().items():

    rule:
        name:
            name
        input:
            data=ask(WORKFLOW.prepared, "dataset"),
            code=ask_of_run(WORKFLOW.run_sources),
        output:
            **training.outputs(),
        log:
            places.log("train", places.CELL),
        benchmark:
            places.benchmark("train", places.CELL)
        wildcard_constraints:
            experiment=training.experiments,
        # One thread per process: the same numbers alone or beside other runs.
        threads: ask(WORKFLOW.processes, "experiment")
        resources:
            mem_mb=lambda wildcards, threads: 4000 * threads,
            gpu=0,
            runtime=720,
        params:
            config=ask_of_run(canonical),
            data=ask(WORKFLOW.prepared_folder, "dataset"),
            checkpoint=places.CHECKPOINT,
            processes=ask(WORKFLOW.processes, "experiment"),
            options=training.options,
        shell:
            "mtbalance train"
            " --config {params.config:q}"
            " --data {params.data:q}"
            " --checkpoint {params.checkpoint:q}"
            " --output {output.record:q}"
            " --sample {output.sample:q}"
            " --predictions {output.predictions:q}"
            " --processes {params.processes:q}"
            " {params.options:q} > {log:q} 2>&1"


# And one for each part of the seeds of an experiment with several runs a job.
for name, bundle in WORKFLOW.bundles().items():

    rule:
        name:
            name
        input:
            data=ask(WORKFLOW.prepared, "dataset"),
            code=ask_of_seed(bundle.seeds[0], WORKFLOW.run_sources),
        output:
            **bundle.outputs(),
        log:
            places.log(name, places.CELL_OF_SEEDS),
        benchmark:
            places.benchmark(name, places.CELL_OF_SEEDS)
        wildcard_constraints:
            experiment=bundle.experiments,
        threads: ask(WORKFLOW.processes, "experiment")
        resources:
            mem_mb=lambda wildcards, threads: 4000 * threads,
            gpu=0,
            runtime=720 * len(bundle.seeds),
        params:
            runs=ask_of_seed(bundle.seeds[0], bundle.runs),
        shell:
            "mtbalance train-several {params.runs:q} > {log:q} 2>&1"


rule time:
    input:
        data=ask(WORKFLOW.prepared, "dataset"),
        code=ask_of_timing(WORKFLOW.timing_sources),
    output:
        places.TIMING,
    log:
        places.log("time", places.TIMING_CELL),
    # All cores, so that nothing else runs beside it.
    threads: workflow.cores
    params:
        config=ask_of_timing(WORKFLOW.timing_config),
        data=ask(WORKFLOW.prepared_folder, "dataset"),
        options=ask(WORKFLOW.timing_options, "experiment"),
    shell:
        "mtbalance time {output:q}"
        " --config {params.config:q}"
        " --data {params.data:q}"
        " {params.options:q}"
        " > {log:q} 2>&1"
