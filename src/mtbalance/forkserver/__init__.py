"""The forkserver of a workflow: one process that has imported what its jobs need, and is forked for each of them.

A training job of the demo spends a third of its processor time on imports. Here they are paid once. Only packages of
others are imported before the fork; mtbalance's own source is read by each job, so that an edit counts at once. The
jobs stay processes of their own with the same command, output, status and signals, and give the same numbers.

Snakemake starts the server for a run on this machine (:mod:`mtbalance.forkserver.server`). The command ``mtbalance``
asks it for a process (:mod:`mtbalance.forkserver.client`), and does its work itself where there is none: on another
machine, outside of Snakemake, and with more threads than one, since libraries read their number when they are loaded.
"""

import struct

ADDRESS = "MTBALANCE_FORKSERVER"
"""The environment variable with the path of the server's socket."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables in which Snakemake says how many threads a job may have; libraries read them when they are loaded."""
NUMBER = struct.Struct("i")
"""A number on the wire: the process's id, then its status."""
