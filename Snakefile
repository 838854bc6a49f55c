from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/references.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/market.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/toy.smk"
include: "workflow/rules/tuning.smk"
include: "workflow/rules/bench.smk"


localrules:
    all,
    data,
    download,
    toy,
    bench,


onstart:
    from mtbalance.planning.due import TARGETS
    from mtbalance.reproduce.closing import PRESET
    from mtbalance.reproduce.quiet import PLAIN

    refuse_to_start()
    lift_limit()
    if PLAIN not in os.environ:
        jobs = sum(
            job.rule.name not in TARGETS for job in workflow.dag.needrun_jobs()
        )
        print(f"{PRESET}{PARAMETERS.preset}: {jobs} jobs.", flush=True)
    if workflow.local_exec and len(workflow.dag) >= server.WORTH_IT:
        server.start()


onsuccess:
    from mtbalance.reproduce.closing import remade
    from mtbalance.reproduce.quiet import PLAIN

    if PLAIN not in os.environ:
        for said in remade(PARAMETERS, BEGAN):
            print(said)
    if Path(".dvc").is_dir() and "DVC_STAGE" not in os.environ:
        print(NOT_IN_DVC)


onerror:
    # Not at the start, where it would be a part of every dry run.
    from mtbalance.reproduce import outside

    for told in outside.told_of(log):
        print(told)


rule all:
    default_target: True
    input:
        WORKFLOW.results(),


rule data:
    input:
        WORKFLOW.data(),


rule toy:
    input:
        rules.toy_report.output,


rule bench:
    input:
        rules.report_steps.output,
