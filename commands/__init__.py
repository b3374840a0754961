"""The journey as a command: one file per stop, each verb with `--json`."""
