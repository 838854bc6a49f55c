"""Reporting: from records to collected metrics, statistics, tables and figures. It does not import training."""
