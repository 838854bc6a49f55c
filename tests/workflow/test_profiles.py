"""The profiles for other machines: Snakemake takes them, and plans the same jobs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import yaml

from workflow_tree import PROJECT, Tree

pytestmark = pytest.mark.long


def test_a_dry_run_for_slurm_has_the_jobs_of_one_machine(finished: Tree):
    """Real runs are in tests/slurm."""
    if not find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("the plugin is not installed here: pip install -e '.[slurm]'")
    jobs = finished.due("--forceall")
    assert jobs == finished.due("--forceall", "--profile", "profiles/slurm")
    assert "train tiny/synthetic_a/mmoe/pub/0" in jobs


def test_the_command_of_the_kubernetes_job_plans_the_jobs_of_one_machine(finished: Tree):
    job = yaml.safe_load((PROJECT / "profiles/kubernetes/job.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (command,) = container["args"]
    said = finished.call(*container["command"], f"{command} --dry-run --forceall --nocolor")
    assert "rule train:" in said
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert container["workingDir"] in {mount["mountPath"] for mount in container["volumeMounts"]}
