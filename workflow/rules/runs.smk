rule train:
    input:
        data=ask(WORKFLOW.prepared, "dataset"),
        code=ask_of_run(WORKFLOW.run_sources),
    output:
        record=places.RECORD,
        sample=places.SAMPLE,
        predictions=places.PREDICTIONS,
    log:
        places.log("train", places.CELL),
    benchmark:
        places.benchmark("train", places.CELL)
    wildcard_constraints:
        experiment=alternatives(WORKFLOW.unmeasured()),
    # One thread per run: the same numbers alone or beside other runs.
    threads: 1
    resources:
        mem_mb=4000,
        gpu=0,
    params:
        config=ask_of_run(canonical),
        data=ask(WORKFLOW.prepared_folder, "dataset"),
        checkpoint=places.CHECKPOINT,
        steps="",
    shell:
        "mtbalance train"
        " --config {params.config:q}"
        " --data {params.data}"
        " --checkpoint {params.checkpoint}"
        " --output {output.record}"
        " --sample {output.sample}"
        " --predictions {output.predictions}"
        " {params.steps} > {log} 2>&1"


# As train, and every step is measured.
use rule train as train_measured with:
    output:
        record=places.RECORD,
        sample=places.SAMPLE,
        predictions=places.PREDICTIONS,
        steps=places.STEPS,
    wildcard_constraints:
        experiment=alternatives(WORKFLOW.measured()),
    params:
        config=ask_of_run(canonical),
        data=ask(WORKFLOW.prepared_folder, "dataset"),
        checkpoint=places.CHECKPOINT,
        steps=f"--steps {places.STEPS}",


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
        "mtbalance time {output}"
        " --config {params.config:q}"
        " --data {params.data}"
        " {params.options}"
        " > {log} 2>&1"
