"""What `make reproduce` and `dvc repro` show while they run, and of jobs that failed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mtbalance import places
from mtbalance.cli import app
from mtbalance.planning.in_all import A_JOB, SECONDS
from mtbalance.reproduce import watching
from mtbalance.reproduce.outside import told, told_of
from mtbalance.reproduce.quiet import INTERRUPTED, PLAIN, snakemake
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
CELL = {"experiment": "e", "dataset": "d", "backbone": "mmoe", "balancer": "pub@lr=0.1", "seed": 0}


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


KILLED = """CalledProcessError in file "workflow/rules/runs.smk", line 42:
Command 'set -euo pipefail;  mtbalance train --config '{{"seed":0}}'  > {log} 2>&1' {ended}.
Error in rule train:
    log: {log} (check log file(s) for error details)
"""


@pytest.mark.parametrize(
    ("ended", "name"),
    [
        ("returned non-zero exit status 137", "SIGKILL, which the system sends where memory runs out, too"),
        ("returned non-zero exit status 143", "SIGTERM"),
        ("died with <Signals.SIGTERM: 15>", "SIGTERM"),
        ("returned non-zero exit status 1", None),
        ("returned non-zero exit status 139", None),  # a crash comes from inside
    ],
)
def test_a_signal_from_outside_is_told_and_if_a_state_is_saved(tmp_path, monkeypatch, ended, name):
    monkeypatch.chdir(tmp_path)
    log, checkpoint = (path.format_map(CELL) for path in (places.log("train", places.CELL), places.CHECKPOINT))
    said, seen = KILLED.format(log=log, ended=ended), Seen()
    for line in said.splitlines():
        seen.read(line)
    failed = f"train failed; {log} is empty."
    if name is None:
        assert seen.failures() == [failed, ""]
        return
    told = f"The job of {log} was ended from outside by {name}."
    assert seen.failures() == [
        f"{told} No state of it had been saved yet: the same command begins it again.",
        failed,
        "",
    ]
    Path(checkpoint).parent.mkdir(parents=True)
    Path(checkpoint).touch()
    goes_on = f"{told} Its state is saved ({checkpoint}): the same command goes on from there."
    assert seen.failures() == [goes_on, failed, ""]
    Path("whole.log").write_text(said)
    assert told_of(["whole.log"]) == [goes_on]


def test_another_job_that_was_ended_from_outside_is_done_again():
    assert told("logs/table/a.log", "SIGTERM").endswith("by SIGTERM. The same command does it again.")


def test_without_a_failed_job_the_end_is_kept():
    seen, _ = watched("seq 100; exit 1")
    assert seen.code == 1 and not seen.failed and seen.tail[-1] == "100" and len(seen.tail) < 100


def test_progress_counts_the_jobs_of_each_stage():
    seen, shown = watched("echo '1 of 2 steps'; echo '2 of 2 steps'; echo '1 of 50 steps'; echo '5 of 50 steps'")
    assert seen.code == 0
    assert "1 of 2 jobs done, about 0.0 minutes left" in shown and "5 of 50 jobs done" in shown
    assert "1 of 50 jobs done" not in shown


def test_a_target_is_no_job_and_a_timing_is_told_when_it_begins():
    stats = "Job stats:\ntime     1\ntable    2\nall      1\ntotal    4\n\n"
    stats += "rule time:\n    log: logs/time/a.log\n    jobid: 1\n"
    steps = "".join(f"{done} of 4 steps\n" for done in range(1, 5))
    _, shown = watched(f"echo '{stats}{steps}'")
    assert "with no other job beside them: logs/time/a.log" in shown
    assert "1 of 3 jobs done" in shown and "3 of 3 jobs done" in shown and "4 jobs" not in shown and "4 of" not in shown


@pytest.mark.parametrize(
    "order", ["    log: logs/time/a.log\n    jobid: 1\n", "    jobid: 1\n    log: logs/time/a.log\n"]
)
def test_a_timing_is_told_once_and_with_its_log(order):
    _, shown = watched(f"echo '[now]\nrule time:\n{order}Error in rule time:\n{order}'")
    assert shown.splitlines() == [watching.TIMES.format(log="logs/time/a.log")]


def test_a_log_names_the_preset_first_and_says_no_line_twice():
    steps = "".join(f"{done} of 3 steps\n" for done in (1, 2, 3))
    _, shown = watched(f"echo 'Preset telco: 2 jobs.\nall      1\ntotal    3\n{steps}'")
    assert shown.splitlines()[0] == "Preset telco: 2 jobs." and shown.count("2 of 2 jobs done") == 1


STATS = """Job stats:
job               count
--------------  -------
prepare_ranking       1
train                 2
train_measured        2
table                30
all                   1
total                36
"""


def test_the_time_left_is_that_of_runs_as_they_end_and_of_short_jobs(monkeypatch):
    """Thirty tables after four runs are no thirty runs."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(watching, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    monkeypatch.setattr(watching, "cores", lambda: 2)
    seen = Seen()

    def ended(rule, number, seconds):
        for line in (f"rule {rule}:", f"    jobid: {number}"):
            seen.read(line)
        now.seconds += seconds
        seen.read(f"Finished jobid: {number} (Rule: {rule})")

    now.seconds += 500
    for line in STATS.splitlines():
        seen.read(line)
    ended("prepare_ranking", 1, 20)
    assert seen.seconds_left(1, 36) is None
    ended("train", 2, 100)
    tables = 30 * (SECONDS["table"] + A_JOB) / 2
    assert seen.seconds_left(2, 36) == pytest.approx(100 * 3 + tables)
    for number, rule in enumerate(("train", "train_measured", "train_measured"), 3):
        ended(rule, number, 100)
    assert seen.seconds_left(5, 36) == pytest.approx(tables)
    ended("table", 6, 2)
    assert seen.seconds_left(6, 36) == pytest.approx(tables * 29 / 30)


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


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Put a script in the place of the command `snakemake`, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=os.pathsep)
    monkeypatch.delenv(PLAIN, raising=False)
    (tmp_path / "bin").mkdir()

    def write(script):
        (tmp_path / "bin/snakemake").write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / "bin/snakemake").chmod(0o755)

    return write


WHOLE = "/project/.snakemake/log/today.snakemake.log"


def test_a_stage_of_dvc_shows_little_and_where_the_rest_is(pretended, tmp_path):
    pretended(FAILS.replace("exit 7", f"echo 'Complete log(s): {WHOLE}'; echo $@ > options; exit 7"))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("the data [train] are gone\n")
    result = CliRunner().invoke(app, ["snakemake", "--cores", "all", "data"])
    shown = result.output
    assert result.exit_code == 7
    assert (tmp_path / "options").read_text() == "--cores all data\n"
    assert "train failed; logs/a.log ends with:\n    the data [train] are gone" in shown
    assert shown.endswith(f"Snakemake's whole log: {WHOLE}\n")
    assert "Building DAG" not in shown and "input: data.csv" not in shown


def test_a_failure_without_a_job_shows_the_end_of_the_output(pretended, capsys):
    pretended("echo \"KeyError in file Snakefile, line 3: 'no such [thing]'\"; exit 1")
    assert snakemake([]) == 1
    assert "line 3: 'no such [thing]'" in capsys.readouterr().out


REFUSAL = """Config file params.yaml is extended by additional config specified via the command line.
WorkflowError in file "/project/workflow/rules/common.smk", line 47:
preset: there is no [foo]
  File "/project/workflow/rules/common.smk", line 47, in <module>"""
LOCK = "Building DAG of jobs...\nLockException:\nError: Directory cannot be locked. Please make sure\n/project\n"


FULL = "Traceback (most recent call last):\n  with open(lockfile) as lock:\nOSError: [Errno 28] No space left on device"
NO_ROOM = "mtbalance: Snakemake cannot write: No space left on device. Mend that; then the same command goes on."
READ_ONLY = "WorkflowError:\nFailed to create output directory a/b.\nOSError: [Errno 30] Read-only file system: a/b"
NOT_HERE = "mtbalance: Snakemake cannot write: Read-only file system: a/b. Mend that; then the same command goes on."


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (REFUSAL, "mtbalance: preset: there is no [foo]"),
        (LOCK, watching.UNLOCK),
        (FULL, NO_ROOM),
        (READ_ONLY, NOT_HERE),
    ],
)
def test_a_start_that_is_refused_is_told_in_one_line(pretended, capsys, printed, said):
    pretended(f"echo '{printed}'; exit 1")
    assert snakemake([]) == 1
    assert capsys.readouterr().out.splitlines() == [said]


def test_that_the_workflow_was_killed_is_told_in_one_line(pretended, capsys):
    pretended("echo 'Building DAG of jobs...'; kill -9 $$")
    assert snakemake([]) == -9
    (said,) = capsys.readouterr().out.splitlines()
    assert "ended from outside by SIGKILL" in said and "--unlock" in said


@pytest.mark.parametrize("option", ["-n", "-np", "--dry-run", "--summary", "--list-rules", "--version"])
def test_a_question_to_snakemake_is_answered_by_it(monkeypatch, option):
    asked = []
    monkeypatch.setattr("os.execvp", lambda program, command: asked.append(command) or sys.exit(0))
    with pytest.raises(SystemExit):
        snakemake(["--cores", "2", option])
    assert asked == [["snakemake", "--cores", "2", option]]


def test_that_nothing_is_to_be_done_is_said(pretended, capsys):
    pretended("echo 'Building DAG of jobs...'; echo 'Nothing to be done (all requested files are present).'")
    assert snakemake([]) == 0
    assert capsys.readouterr().out == "Nothing to be done (all requested files are present).\n"


def test_where_nothing_is_to_be_done_the_page_and_its_answer_are_told(pretended, capsys, tmp_path, monkeypatch):
    parameters = (Path(__file__).parents[1] / "params.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(parameters)
    Path(places.PAGE).parent.mkdir(parents=True)
    Path(places.PAGE).write_text("<!DOCTYPE html>\n<title>mtbalance: census</title>\n")
    closing = sys.modules["mtbalance.reproduce.closing"]  # the package has a function of that name
    monkeypatch.setattr(closing, "_answers", lambda found: [f"the answer of {found.preset}"])
    pretended("echo 'Nothing to be done (all requested files are present).'")
    assert snakemake([]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["results/report.html shows preset census; in short:", "the answer of census"]


def test_what_came_out_is_said_at_the_end(pretended, capsys):
    said = [f"{places.PAGE} shows everything; in short:", "  - Best mean AUC: PUB on MMOE [mmoe], 0.7."]
    pretended("\n".join(["echo 'Building DAG of jobs...'", *(f"echo '{line}'" for line in said)]))
    assert snakemake([]) == 0
    assert capsys.readouterr().out.splitlines() == said


STARTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in a command that runs in the background
from mtbalance.reproduce.quiet import snakemake
sys.exit(snakemake(sys.argv[1:]))
"""
WAITS = """
trap 'kill $!; sleep 0.2; echo gone > gone; exit 1' INT TERM
echo '1 of 2 steps (50%) done'
sleep 60 &
wait
"""


def started(**variables):
    command = [sys.executable, "-u", "-c", STARTED, "--cores", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | variables
    )


@pytest.mark.parametrize(
    ("number", "to_all", "code"), [(signal.SIGINT, True, INTERRUPTED), (signal.SIGTERM, False, 1)], ids=["^C", "TERM"]
)
def test_a_stage_that_is_ended_waits_for_snakemake(pretended, tmp_path, number, to_all, code):
    """Ctrl-C reaches all processes of the terminal; SIGTERM reaches the stage alone, which passes it on."""
    pretended(WAITS)
    with started() as process:
        assert "1 of 2 jobs done" in process.stdout.readline()
        (os.killpg if to_all else os.kill)(process.pid, number)
        process.stdout.read()
    assert process.returncode == code and (tmp_path / "gone").exists()


def test_what_reads_snakemakes_own_lines_gets_them(pretended):
    pretended("echo 'Building DAG of jobs...'; echo \"$@\"; exit 3")
    with started(**{PLAIN: "1"}) as process:
        assert process.stdout.read() == "Building DAG of jobs...\n--cores 2\n"
    assert process.returncode == 3
