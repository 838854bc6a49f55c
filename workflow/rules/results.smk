rule collect:
    input:
        records=ask(WORKFLOW.records, "experiment"),
        # Else the records of data that can no longer be prepared would pass for up to date.
        schemas=ask(WORKFLOW.schemas, "experiment"),
        steps=ask(WORKFLOW.steps, "experiment"),
        predictions=ask(WORKFLOW.predictions, "experiment"),
        timings=ask(WORKFLOW.timings, "experiment"),
        references=ask(WORKFLOW.references, "experiment"),
        reference_predictions=ask(WORKFLOW.reference_predictions, "experiment"),
        code=reporting_sources("collect"),
    output:
        places.METRICS,
    log:
        places.log("collect", "{experiment}"),
    params:
        params=ask(WORKFLOW.experiment_params, "experiment"),
    shell:
        "mtbalance collect {wildcards.experiment:q} {output:q}"
        " --params {params.params:q} > {log:q} 2>&1"


rule summarize:
    input:
        metrics=ask(WORKFLOW.metrics_of_preset, "preset"),
        code=reporting_sources("summary"),
    output:
        means=places.MEANS,
        summary=places.SUMMARY,
    log:
        places.log("summarize", "{preset}"),
    params:
        baseline=PARAMETERS.tables.baseline,
    shell:
        "mtbalance summarize {input.metrics:q} --means {output.means:q} --output {output.summary:q}"
        " --baseline {params.baseline:q} > {log:q} 2>&1"


rule table:
    input:
        metrics=ask(WORKFLOW.shown, "experiment", "table"),
        code=ask(WORKFLOW.table_sources, "experiment", "table"),
    output:
        csv=f"{places.TABLE}.csv",
        markdown=f"{places.TABLE}.md",
        html=report(
            f"{places.TABLE}.html",
            caption="../report/table.rst",
            category="Tables",
            labels={"experiment": "{experiment}", "table": "{table}"},
        ),
        latex=f"{places.TABLE}.tex",
    log:
        places.log("table", places.TABLE_CELL),
    params:
        folder=places.TABLES,
        options=ask(WORKFLOW.table_options, "experiment"),
        significance=PARAMETERS.tables.significance,
    shell:
        "mtbalance table {wildcards.table:q} {input.metrics:q} {params.folder:q}"
        " {params.options:q} --significance {params.significance:q} > {log:q} 2>&1"


rule audit:
    input:
        code=reporting_sources("audit"),
        printed=printed_numbers(),
    output:
        report(
            places.AUDIT,
            caption="../report/audit.rst",
            category="Tables",
            labels={"experiment": "the PUB paper", "table": "audit"},
        ),
    log:
        places.log("audit", "pub"),
    shell:
        "mtbalance audit {output:q} > {log:q} 2>&1"


rule figure:
    input:
        metrics=ask(WORKFLOW.shown, "experiment", "figure"),
        code=ask(WORKFLOW.figure_sources, "experiment", "figure"),
    output:
        png=report(
            f"{places.FIGURE}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"experiment": "{experiment}", "figure": "{figure}"},
        ),
        pdf=f"{places.FIGURE}.pdf",
        svg=f"{places.FIGURE}.svg",
    log:
        places.log("figure", places.FIGURE_CELL),
    params:
        folder=places.FIGURES,
        options=ask(WORKFLOW.table_options, "experiment"),
    shell:
        "mtbalance figure {wildcards.figure:q} {input.metrics:q} {params.folder:q}"
        " {params.options:q} > {log:q} 2>&1"


# DVC shows all figures of a folder, and knows no pattern for their names.
rule plots:
    input:
        ask(WORKFLOW.plots, "preset"),
    output:
        directory(places.PLOTS),
    log:
        places.log("plots", "{preset}"),
    shell:
        "(mkdir -p {output:q} && for file in {input:q}; do"
        ' cp "$file" {output:q}/"$(basename "$(dirname "$file")")-$(basename "$file")"; done) > {log:q} 2>&1'


rule picture:
    input:
        record=places.RECORD,
        sample=places.SAMPLE,
        code=ask(WORKFLOW.picture_sources, "experiment"),
    output:
        report(
            places.PICTURE,
            caption="../report/picture.rst",
            category="Predictions",
            labels={
                "experiment": "{experiment}",
                "run": "{backbone} {balancer} {seed}",
            },
        ),
    log:
        places.log("picture", places.PICTURE_CELL),
    wildcard_constraints:
        experiment=alternatives(WORKFLOW.pictured()),
    shell:
        "mtbalance picture {input.record:q} {input.sample:q} {output:q} > {log:q} 2>&1"
