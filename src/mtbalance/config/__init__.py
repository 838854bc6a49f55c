"""The typed configuration: the meaning of every key of ``params.yaml``, and its checks. Free of torch.

A run never reads ``params.yaml``: it receives its own part, with every default filled in, as one canonical JSON
string (:class:`~mtbalance.config.run.RunConfig`). That string is the run's identity: its digest names the run in
records, in MLflow and in Snakemake's provenance.
"""
