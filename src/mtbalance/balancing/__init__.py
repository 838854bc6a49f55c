"""The library: balance the tasks of one model, in any training loop.

Of the rest of the package it uses only the ground floor: ``blocks`` and ``registry``, and through them ``errors``.
"""
