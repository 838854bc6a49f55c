rule claims:
    input:
        metrics=WORKFLOW.metrics_of_preset(PARAMETERS.preset),
        markets=WORKFLOW.markets(),
        toy=WORKFLOW.toy_made(),
        code=reporting_sources("claims.document"),
        printed=printed_numbers(),
    output:
        markdown=report(
            f"{places.CLAIMS}.md",
            caption="../report/claims.rst",
            category="Tables",
            labels={"experiment": "both papers", "table": "claims"},
        ),
        json=f"{places.CLAIMS}.json",
    log:
        places.log("claims", "papers"),
    params:
        stem=subpath(output.markdown, strip_suffix=".md"),
        options=ask(WORKFLOW.claims_options),
        significance=PARAMETERS.tables.significance,
    shell:
        "mtbalance claims {params.stem:q} {input.metrics:q} {params.options:q}"
        " --significance {params.significance:q} > {log:q} 2>&1"
