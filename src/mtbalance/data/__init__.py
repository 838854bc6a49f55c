"""Data sets: from raw files to Parquet, and from Parquet to training batches.

An adapter (:mod:`mtbalance.data.adapters`) is imported only when ``params.yaml`` is read or its data are prepared. A
training job needs :mod:`mtbalance.data.ranking` or :mod:`mtbalance.data.scenes` alone.
"""

from __future__ import annotations

from mtbalance.errors import UserError


class DataError(UserError):
    """Data that cannot be used as they are; the message names the file and says what to do."""
