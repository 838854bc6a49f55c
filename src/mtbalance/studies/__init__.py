"""Studies: small experiments of the papers without a model or a data set. Each writes Parquet files for reporting."""
