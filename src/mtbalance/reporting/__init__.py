"""Run records to tidy metrics, statistics, tables and figures, without knowing the code that trained."""
