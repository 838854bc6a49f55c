rule collect:
    input:
        records=records_of,
        timings=timings_of,
        code=reporting_sources("collect"),
    output:
        "results/metrics/{experiment}.parquet",
    log:
        "logs/collect/{experiment}.log",
    params:
        params=experiment_params,
    shell:
        "mtbalance collect {wildcards.experiment} {output}"
        " --params {params.params:q} > {log} 2>&1"


rule summarize:
    input:
        metrics=metrics_of,
        code=reporting_sources("summary"),
    output:
        "results/metrics/{preset}.json",
    log:
        "logs/summarize/{preset}.log",
    shell:
        "mtbalance summarize {input.metrics} --output {output} > {log} 2>&1"


rule table:
    input:
        metrics="results/metrics/{experiment}.parquet",
        code=table_sources,
    output:
        csv="results/tables/{experiment}/{table}.csv",
        markdown=report(
            "results/tables/{experiment}/{table}.md",
            caption="../report/table.rst",
            category="Tables",
            labels={"experiment": "{experiment}", "table": "{table}"},
        ),
        latex="results/tables/{experiment}/{table}.tex",
    log:
        "logs/table/{experiment}/{table}.log",
    params:
        options=table_options,
        significance=PARAMETERS.tables.significance,
    shell:
        "mtbalance table {wildcards.table} {input.metrics} results/tables/{wildcards.experiment}"
        " {params.options} --significance {params.significance} > {log} 2>&1"


rule figure:
    input:
        metrics="results/metrics/{experiment}.parquet",
        code=figure_sources,
    output:
        png=report(
            "results/figures/{experiment}/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"experiment": "{experiment}", "figure": "{figure}"},
        ),
        pdf="results/figures/{experiment}/{figure}.pdf",
    log:
        "logs/figure/{experiment}/{figure}.log",
    params:
        options=table_options,
    shell:
        "mtbalance figure {wildcards.figure} {input.metrics} results/figures/{wildcards.experiment}"
        " {params.options} > {log} 2>&1"
