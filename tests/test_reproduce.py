"""What `make reproduce` shows while it runs, and of jobs that failed."""

from rich.console import Console

from mtbalance.reproduce.watching import Seen, watch

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


def watched(script):
    console = Console(record=True, force_terminal=False)
    return watch(["bash", "-c", script], console), console.export_text()


def test_failed_jobs_are_remembered_however_long_ago():
    seen, _ = watched(FAILS)
    assert seen.code == 7
    assert seen.failed == {"logs/a.log": "train", "logs/b.log": "train"}


def test_the_ends_of_their_logs_are_shown(tmp_path):
    logs = {str(tmp_path / f"{number}.log"): "train" for number in range(7)}
    for log in logs:
        (tmp_path / log).write_text("".join(f"line {n} of {log}\n" for n in range(50)))
    shown = "\n".join(Seen(failed=logs | {str(tmp_path / "none.log"): "time"}).failures())
    assert f"train failed; {tmp_path}/0.log ends with:\n    line 42 of" in shown
    assert f"    line 49 of {tmp_path}/4.log" in shown and f"line 49 of {tmp_path}/5.log" not in shown
    assert "3 more jobs failed; their logs:" in shown and "none.log" in shown


def test_without_a_failed_job_the_end_is_kept():
    seen, _ = watched("seq 100; exit 1")
    assert seen.code == 1 and not seen.failed and seen.tail[-1] == "100" and len(seen.tail) < 100


def test_progress_counts_the_jobs_of_each_stage():
    seen, shown = watched("echo '1 of 2 steps'; echo '2 of 2 steps'; echo '1 of 50 steps'; echo '5 of 50 steps'")
    assert seen.code == 0
    assert "1 of 2 jobs done, about 0.0 minutes left" in shown and "5 of 50 jobs done" in shown
    assert "1 of 50 jobs done" not in shown


def test_how_a_run_ended_is_said_when_its_job_ends_and_not_before(tmp_path):
    logs = [tmp_path / "first.log", tmp_path / "second.log", tmp_path / "table.log"]
    for log in logs:
        log.write_text(f"epoch 1\nthe end of {log.stem}\n")
    jobs = [("localrule train", 3, logs[0]), ("rule train_measured", 4, logs[1]), ("localrule table", 5, logs[2])]
    printed = "".join(f"{rule}:\n    log: {log}\n    jobid: {number}\n" for rule, number, log in jobs)
    _, shown = watched(f"printf '{printed}Finished jobid: 4 (Rule: train)\nFinished jobid: 5 (Rule: table)\n'")
    assert shown.splitlines() == ["the end of second"]


def test_the_stages_are_said():
    _, shown = watched("echo \"Running stage 'data':\"")
    assert "Data: made or fetched" in shown
