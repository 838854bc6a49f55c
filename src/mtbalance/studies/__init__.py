"""Studies: the toy problem, without a model or data, and the market, of what models predict.

Each writes Parquet files for reporting.
"""
