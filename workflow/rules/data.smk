rule download:
    output:
        "{raw}",
    log:
        "logs/download/{raw}.log",
    retries: 2
    params:
        addresses=addresses,
    shell:
        "mtbalance fetch {output:q} {params.addresses} 2> {log:q} || (cat {log:q} >&2; false)"


rule generate:
    input:
        code=adapter_sources,
    output:
        [f"data/raw/{{dataset}}/{file}" for file in GENERATED["synthetic"]],
    log:
        "logs/generate/{dataset}.log",
    wildcard_constraints:
        dataset=datasets_with(adapter="synthetic"),
    threads: 1
    params:
        config=generator_config,
    shell:
        "mtbalance generate {wildcards.dataset} data/raw/{wildcards.dataset}"
        " --config {params.config:q} > {log} 2>&1"


use rule generate as generate_scenes with:
    output:
        [f"data/raw/{{dataset}}/{file}" for file in GENERATED["synthetic_scenes"]],
    wildcard_constraints:
        dataset=datasets_with(adapter="synthetic_scenes"),


rule prepare:
    input:
        raw=raw_of,
        code=adapter_sources,
    output:
        [f"data/processed/{{dataset}}/{file}" for file in PREPARED["ranking"]],
    log:
        "logs/prepare/{dataset}.log",
    benchmark:
        "benchmarks/prepare/{dataset}.tsv"
    wildcard_constraints:
        dataset=datasets_with(problem="ranking"),
    threads: 2
    resources:
        mem_mb=4000,
    params:
        config=dataset_config,
    shell:
        "mtbalance prepare {wildcards.dataset} --config {params.config:q} > {log} 2>&1"
        " || (cat {log} >&2; false)"


use rule prepare as prepare_scenes with:
    output:
        [f"data/processed/{{dataset}}/{file}" for file in PREPARED["scenes"]],
    wildcard_constraints:
        dataset=datasets_with(problem="scenes"),
