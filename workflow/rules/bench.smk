# Training steps against what a user would take instead. Each script measures all of its steps in turn.
BENCHES = ["steps", "rules", "tasks", "sizes", "together"]


rule measure_steps:
    input:
        script="bench/{bench}.py",
        code=["bench/cases.py", "bench/peers.py", "bench/ratios.py"],
    output:
        f"{places.BENCH}/{{bench}}.csv",
    log:
        places.log("bench", "{bench}"),
    wildcard_constraints:
        bench=alternatives(BENCHES),
    # All cores, so that nothing else runs beside it.
    threads: workflow.cores
    shell:
        "python {input.script:q} {output:q} > {log:q} 2>&1"


rule report_steps:
    input:
        expand(rules.measure_steps.output, bench=BENCHES),
        script="bench/report.py",
    output:
        page=f"{places.BENCH}/report.md",
        tasks=report(
            f"{places.BENCH}/tasks.png",
            caption="../report/bench.rst",
            category="Benchmarks",
        ),
        sizes=report(
            f"{places.BENCH}/sizes.png",
            caption="../report/bench.rst",
            category="Benchmarks",
        ),
    log:
        places.log("bench", "report"),
    params:
        folder=subpath(output.page, parent=True),
    shell:
        "python {input.script:q} {params.folder:q} > {log:q} 2>&1"
