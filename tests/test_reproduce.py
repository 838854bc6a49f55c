"""What `make reproduce` shows while it runs, and of jobs that failed."""

from rich.console import Console

from mtbalance.reproduce import _watch

FAILS = r"""
echo 'Building DAG of jobs...'
printf '[Wed Nov 25 21:00:00 2026]\nError in rule train:\n    jobid: 3\n    log: logs/train/a.log\nno such data\n'
printf '[Wed Nov 25 21:00:01 2026]\nlocalrule other:\n'
for n in $(seq 100); do echo "$n of 100 steps (1%) done"; done
echo 'Exiting because a job execution failed. Look above for error messages'
exit 7
"""


def watch(script):
    console = Console(record=True, force_terminal=False)
    code, lines = _watch(["bash", "-c", script], console)
    return code, lines, console.export_text()


def test_what_was_said_of_a_failed_job_is_kept_however_long_ago():
    code, lines, _ = watch(FAILS)
    assert code == 7
    assert lines == ["Error in rule train:", "    jobid: 3", "    log: logs/train/a.log", "no such data"]


def test_without_a_failed_job_the_end_is_shown():
    code, lines, _ = watch("seq 100; exit 1")
    assert code == 1 and lines[-1] == "100" and len(lines) < 100


def test_progress_counts_the_jobs_of_each_stage():
    code, _, shown = watch("echo '1 of 2 steps'; echo '2 of 2 steps'; echo '1 of 50 steps'")
    assert code == 0
    assert "1 of 2 jobs done, about 0.0 minutes left" in shown and "1 of 50 jobs done" in shown
