rule page:
    input:
        shown=WORKFLOW.page_files(),
        code=page_sources(),
    output:
        places.PAGE,
    log:
        places.log("page", "page"),
    params:
        config=ask(WORKFLOW.page_config),
    shell:
        "mtbalance report {output:q} --config {params.config:q} > {log:q} 2>&1"
