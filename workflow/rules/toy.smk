# The PUB paper draws scale 1; the code of NashMTL and FAMO uses 0.1. PUB as solved needs up to 28,000 steps from the
# farthest starts. A method that is still in the valley of a logarithm by then hardly moves any more.
TOY_SCALE = 1.0
TOY_STEPS = 30000


rule toy_landscape:
    input:
        code=landscape_sources(),
    output:
        places.TOY_LANDSCAPE,
    log:
        places.log("toy", "landscape"),
    params:
        scale=TOY_SCALE,
    shell:
        "mtbalance toy landscape {output:q} --scale {params.scale:q} > {log:q} 2>&1"


rule toy_trajectories:
    input:
        code=ask(toy_sources, "method"),
    output:
        places.TOY_TRAJECTORIES,
    log:
        places.log("toy", "trajectories/{method}"),
    wildcard_constraints:
        method=alternatives(TOY_METHODS),
    threads: 1
    params:
        scale=TOY_SCALE,
        steps=TOY_STEPS,
    shell:
        "mtbalance toy run {wildcards.method:q} {output:q}"
        " --scale {params.scale:q} --steps {params.steps:q} > {log:q} 2>&1"


rule toy_report:
    input:
        landscape=places.TOY_LANDSCAPE,
        trajectories=expand(places.TOY_TRAJECTORIES, method=TOY_METHODS),
        code=reporting_sources("toy"),
    output:
        png=report(
            f"{places.TOY_REPORT}.png",
            caption="../report/toy.rst",
            category="Toy problem",
        ),
        pdf=f"{places.TOY_REPORT}.pdf",
        svg=f"{places.TOY_REPORT}.svg",
        csv=f"{places.TOY_REPORT}.csv",
    log:
        places.log("toy", "report"),
    params:
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "mtbalance toy report {params.stem:q} {input.landscape:q} {input.trajectories:q} > {log:q} 2>&1"
