"""The checks, one file per family: rows in, findings out."""
