# All trials of a tuned experiment; `collect` makes the same choice among the same records.
rule trials:
    input:
        records=ask(WORKFLOW.records, "experiment"),
        schemas=ask(WORKFLOW.schemas, "experiment"),
        code=reporting_sources("trials"),
    output:
        places.TRIALS,
    log:
        places.log("trials", "{experiment}"),
    params:
        params=ask(WORKFLOW.experiment_params, "experiment"),
    shell:
        "mtbalance trials {wildcards.experiment:q} {output:q}"
        " --params {params.params:q} > {log:q} 2>&1"
