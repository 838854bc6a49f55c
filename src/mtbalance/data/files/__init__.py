"""Raw and prepared files: fetched, checked, and written whole or not at all."""
