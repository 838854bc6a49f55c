rule download:
    # Not deleted before the job: what is there with its checksum is not fetched again.
    output:
        update("{raw}"),
    log:
        places.log("download", "{raw}"),
    params:
        addresses=ask(WORKFLOW.addresses, "raw"),
    shell:
        "mtbalance fetch {output:q} {params.addresses:q} 2>&1 | tee {log:q} >&2"


# Stand-in data: a rule for each adapter that generates its raw files.
for adapter, generator in WORKFLOW.generators().items():

    rule:
        name:
            f"generate_{adapter}"
        input:
            code=ask(WORKFLOW.adapter_sources, "dataset"),
        output:
            generator.files,
        log:
            places.log("generate", "{dataset}"),
        wildcard_constraints:
            dataset=generator.datasets,
        threads: 1
        params:
            config=ask(WORKFLOW.generator_config, "dataset"),
            folder=ask(WORKFLOW.raw_folder, "dataset"),
        shell:
            "mtbalance generate {wildcards.dataset:q} {params.folder:q}"
            " --config {params.config:q} > {log:q} 2>&1"


# Prepared data: a rule for each kind of problem, because the splits differ between kinds.
for problem, preparation in WORKFLOW.preparations().items():

    rule:
        name:
            f"prepare_{problem}"
        input:
            raw=ask(WORKFLOW.raw, "dataset"),
            code=ask(WORKFLOW.adapter_sources, "dataset"),
        output:
            preparation.files,
        log:
            places.log("prepare", "{dataset}"),
        benchmark:
            places.benchmark("prepare", "{dataset}")
        wildcard_constraints:
            dataset=preparation.datasets,
        threads: 2
        resources:
            mem_mb=4000,
            runtime=240,
        params:
            config=ask(WORKFLOW.dataset_config, "dataset"),
        shell:
            "mtbalance prepare {wildcards.dataset:q} --config {params.config:q} > {log:q} 2>&1"
            " || (cat {log:q} >&2; false)"
