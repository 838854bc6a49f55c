rule references:
    input:
        data=ask(WORKFLOW.prepared, "dataset"),
        code=WORKFLOW.reference_sources(),
    output:
        places.REFERENCES,
    log:
        places.log("references", "{dataset}"),
    threads: 1
    params:
        data=ask(WORKFLOW.prepared_folder, "dataset"),
    shell:
        "mtbalance references {wildcards.dataset:q} {output:q}"
        " --data {params.data:q} > {log:q} 2>&1"
