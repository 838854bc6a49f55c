"""MLflow as a view of the runs: a run is shown while it trains, and the records remain the truth.

Deleting the store loses nothing: ``mtbalance track`` writes it again from the records. Only ``store.py``, ``shown.py``,
``served.py`` and ``server.py`` import mlflow, which takes seconds; training leaves them to a process of their own
(``live.py``).
"""
