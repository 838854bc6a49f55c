"""A SLURM of two nodes on this machine, below one folder: munged, slurmctld and a slurmd for each node.

``python tests/slurm/one_machine.py FOLDER`` starts it, prints the variables that its commands need, and stops it at
Ctrl-C. Nothing outside of the folder is written, and processes are ended by their ids only. What it needs is in
Debian's packages slurm-wlm and munge.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
NODES = ("left", "right")
PROCESSORS = 2
"""Of a node, more than may be there."""
MEMORY = 4500
"""MB of a node: one training run at a time."""
PATIENCE = 60
"""Longest wait (seconds) for something to come."""
WHERE = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])

CONFIGURATION = """
ClusterName=one_machine
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A job that is queued again waits until its credential is no longer valid.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=5
ReturnToService=2
MinJobAge=600
{nodes}
PartitionName=main Nodes=ALL Default=YES PriorityTier=1
PartitionName=urgent Nodes=ALL PriorityTier=2
"""


def missing() -> list[str]:
    """The programs that are not installed here."""
    return [name for name in PROGRAMS if not shutil.which(name, path=WHERE)]


class Cluster:
    """The commands of a SLURM that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which SLURM's commands, and jobs, find this cluster."""
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), WHERE])
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def say(self, *command: str) -> str:
        """What a command of SLURM prints."""
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr}"
        return done.stdout

    def jobs(self, state: str) -> dict[str, str]:
        """Jobs in a state, such as ``running``: the ids and the nodes."""
        lines = self.say("squeue", "--noheader", "--array", f"--states={state}", "--format=%i %N").splitlines()
        return {id: node for id, _, node in (line.partition(" ") for line in lines)}

    def state(self, node: str) -> str:
        """The state of a node, such as ``idle``."""
        return self.say("sinfo", "--noheader", f"--nodes={node}", "--format=%t").split()[0]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a SLURM below a folder, which must be new, and stop it at the end of the block."""
    started = Cluster(folder)
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        with (folder / f"{command[0]}.out").open("ab") as output:
            environment = os.environ | started.environment
            options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, "start_new_session": True}
            program = shutil.which(command[0], path=WHERE) or command[0]
            processes.append(subprocess.Popen([program, *command[1:]], env=environment, **options))

    for name in ("munge", "state", "bin", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir(parents=True, mode=0o755)
    configuration = folder / "slurm.conf"
    configuration.write_text(_configuration(folder))
    _srun(folder / "bin/srun", configuration)
    key = folder / "munge/key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    try:
        here = folder / "munge"
        places = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        start("munged", "--foreground", "--force", *(f"--{name}={here / file}" for name, file in places.items()))
        until((here / "socket").exists)
        start("slurmctld", "-D", "-c", "-f", str(configuration))
        for node in NODES:
            start("slurmd", "-D", "-c", "-f", str(configuration), "-N", node)
        until(lambda: all(started.state(node) == "idle" for node in NODES))
        yield started
    finally:
        _stop(started, processes)


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something is so. Raises ``AssertionError`` when the time is over."""
    end, error = time.monotonic() + patience, None
    while time.monotonic() < end:
        try:
            if condition():
                return
        except AssertionError as failure:
            error = failure
        time.sleep(0.2)
    raise AssertionError(f"{patience} seconds went by") from error


def _configuration(folder: Path) -> str:
    first, *ports = _free_ports(1 + len(NODES))
    host = socket.gethostname()
    nodes = [
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={PROCESSORS} RealMemory={MEMORY}"
        for node, port in zip(NODES, ports, strict=True)
    ]
    user = getpass.getuser()
    return CONFIGURATION.format(host=host, port=first, user=user, folder=folder, nodes="\n".join(nodes))


def _free_ports(count: int) -> list[int]:
    with_ports = [socket.socket() for _ in range(count)]
    for each in with_ports:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in with_ports]
    for each in with_ports:
        each.close()
    return ports


def _srun(path: Path, configuration: Path) -> None:
    """The plugin takes all variables of SLURM from a job's environment before it calls srun."""
    program = shutil.which("srun", path=WHERE)
    path.write_text(f'#!/bin/sh\nSLURM_CONF={shlex.quote(str(configuration))} exec {program} "$@"\n')
    path.chmod(0o755)


def _stop(started: Cluster, processes: list[subprocess.Popen[bytes]]) -> None:
    with suppress(AssertionError):  # jobs end before their slurmd does, or they would go on
        started.say("scancel", f"--user={getpass.getuser()}")
        until(lambda: not started.jobs("running,completing"), patience=20)
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
    for process in reversed(processes):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """Serve until Ctrl-C, or another signal that asks for the end."""
    if lacking := missing():
        sys.exit(f"not installed: {', '.join(lacking)}; Debian has them in slurm-wlm and munge")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), cluster(Path(sys.argv[1]).absolute()) as started:
        for name, value in started.environment.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
