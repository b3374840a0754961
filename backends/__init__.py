"""Engines: one seam (`core.job.Engine`), one file each."""
