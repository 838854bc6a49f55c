"""Studies: small experiments of the papers that need no model and no data set. Each writes records for reporting."""
