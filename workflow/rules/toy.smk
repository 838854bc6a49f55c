# The paper of PUB draws scale 1; the code of NashMTL and FAMO has 0.1. PUB as solved needs up to 28,000 steps from the
# farthest starts; a method that is still in the valley of a logarithm then only crawls.
TOY_SCALE = 1.0
TOY_STEPS = 30000


rule toy_landscape:
    input:
        code=sources.relative(sources.closure(["mtbalance.studies.toy_landscape"])),
    output:
        "results/toy/landscape.parquet",
    log:
        "logs/toy/landscape.log",
    params:
        scale=TOY_SCALE,
    shell:
        "mtbalance toy landscape {output} --scale {params.scale} > {log} 2>&1"


rule toy_trajectories:
    input:
        code=toy_sources,
    output:
        "results/toy/trajectories/{method}.parquet",
    log:
        "logs/toy/trajectories/{method}.log",
    wildcard_constraints:
        method=alternatives(TOY_METHODS),
    threads: 1
    params:
        scale=TOY_SCALE,
        steps=TOY_STEPS,
    shell:
        "mtbalance toy run {wildcards.method} {output}"
        " --scale {params.scale} --steps {params.steps} > {log} 2>&1"


rule toy_report:
    input:
        landscape="results/toy/landscape.parquet",
        trajectories=expand(
            "results/toy/trajectories/{method}.parquet", method=TOY_METHODS
        ),
        code=reporting_sources("toy"),
    output:
        png=report(
            "results/figures/toy.png",
            caption="../report/toy.rst",
            category="Toy problem",
        ),
        pdf="results/figures/toy.pdf",
        csv="results/figures/toy.csv",
    log:
        "logs/toy/report.log",
    shell:
        "mtbalance toy report results/figures/toy {input.landscape} {input.trajectories} > {log} 2>&1"
