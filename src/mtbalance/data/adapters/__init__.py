"""Adapters: one file per data set, which says where its raw data are and prepares them. ``params.yaml`` names the file.

Parsing ``params.yaml`` imports the adapters that it names. So a method of an adapter imports large libraries, such as
polars, only when it is called.
"""
