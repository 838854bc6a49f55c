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
        code=sources.relative(sources.closure(["mtbalance.data.synthetic"])),
    output:
        "data/raw/{dataset}/train.csv",
        "data/raw/{dataset}/test.csv",
        "data/raw/{dataset}/truth.csv",
        "data/raw/{dataset}/generated.json",
    log:
        "logs/generate/{dataset}.log",
    threads: 1
    params:
        config=generator_config,
    shell:
        "mtbalance generate {wildcards.dataset} data/raw/{wildcards.dataset}"
        " --config {params.config:q} > {log} 2>&1"


rule prepare:
    input:
        raw=raw_of,
        code=adapter_sources,
    output:
        [f"data/processed/{{dataset}}/{file}" for file in PREPARED],
    log:
        "logs/prepare/{dataset}.log",
    benchmark:
        "benchmarks/prepare/{dataset}.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        config=dataset_config,
    shell:
        "mtbalance prepare {wildcards.dataset} --config {params.config:q} > {log} 2>&1"
        " || (cat {log} >&2; false)"
