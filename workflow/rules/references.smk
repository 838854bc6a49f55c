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
        "mtbalance references {wildcards.dataset} {output}"
        " --data {params.data} > {log} 2>&1"
