# Table VI of the PUB paper as a simulation, for experiments whose tables or figures name `market`.
rule market:
    input:
        made=ask(WORKFLOW.market_inputs, "experiment"),
        code=WORKFLOW.market_sources(),
    output:
        places.MARKET,
    log:
        places.log("market", "{experiment}"),
    threads: 1
    params:
        params=ask(WORKFLOW.experiment_params, "experiment"),
    shell:
        "mtbalance market {wildcards.experiment:q} {output:q}"
        " --params {params.params:q} > {log:q} 2>&1"
