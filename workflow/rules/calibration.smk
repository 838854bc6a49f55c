# Calibration of predictions, for experiments whose tables or figures name `calibration`.
rule calibrate:
    input:
        made=ask(WORKFLOW.calibration_inputs, "experiment"),
        code=reporting_sources("calibration"),
    output:
        places.CALIBRATION,
    log:
        places.log("calibrate", "{experiment}"),
    threads: 1
    params:
        params=ask(WORKFLOW.experiment_params, "experiment"),
    shell:
        "mtbalance calibrate {wildcards.experiment:q} {output:q}"
        " --params {params.params:q} > {log:q} 2>&1"
