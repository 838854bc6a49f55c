rule references:
    input:
        data=ask(WORKFLOW.prepared, "dataset"),
        code=WORKFLOW.reference_sources(),
    output:
        record=places.REFERENCES,
        predictions=places.REFERENCE_PREDICTIONS,
    log:
        places.log("references", "{dataset}"),
    threads: 1
    params:
        data=ask(WORKFLOW.prepared_folder, "dataset"),
    shell:
        "mtbalance references {wildcards.dataset:q} {output.record:q}"
        " --predictions {output.predictions:q} --data {params.data:q} > {log:q} 2>&1"
