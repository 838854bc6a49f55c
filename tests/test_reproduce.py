"""What `make reproduce` shows while it runs, and of jobs that failed."""

from rich.console import Console

from mtbalance.reproduce import _failures, _watch

FAILS = r"""
echo 'Building DAG of jobs...'
for name in a b; do
    printf '[Wed Nov 25 21:00:00 2026]\nError in rule train:\n    jobid: 3\n    input: data.csv\n'
    printf "    log: logs/$name.log (check log file(s) for error details)\n    shell:\n        mtbalance train\n"
done
for n in $(seq 100); do echo "$n of 100 steps (1%) done"; done
echo 'Exiting because a job execution failed. Look above for error messages'
exit 7
"""


def watch(script):
    console = Console(record=True, force_terminal=False)
    return (*_watch(["bash", "-c", script], console), console.export_text())


def test_failed_jobs_are_remembered_however_long_ago():
    code, failed, _, _ = watch(FAILS)
    assert code == 7
    assert failed == {"logs/a.log": "train", "logs/b.log": "train"}


def test_the_ends_of_their_logs_are_shown(tmp_path):
    logs = {str(tmp_path / f"{number}.log"): "train" for number in range(7)}
    for log in logs:
        (tmp_path / log).write_text("".join(f"line {n} of {log}\n" for n in range(50)))
    shown = "\n".join(_failures(logs | {str(tmp_path / "none.log"): "time"}))
    assert f"train failed; {tmp_path}/0.log ends with:\n    line 42 of" in shown
    assert f"    line 49 of {tmp_path}/4.log" in shown and f"line 49 of {tmp_path}/5.log" not in shown
    assert "3 more jobs failed; their logs:" in shown and "none.log" in shown


def test_without_a_failed_job_the_end_is_kept():
    code, failed, tail, _ = watch("seq 100; exit 1")
    assert code == 1 and not failed and tail[-1] == "100" and len(tail) < 100


def test_progress_counts_the_jobs_of_each_stage():
    code, _, _, shown = watch("echo '1 of 2 steps'; echo '2 of 2 steps'; echo '1 of 50 steps'")
    assert code == 0
    assert "1 of 2 jobs done, about 0.0 minutes left" in shown and "1 of 50 jobs done" in shown
