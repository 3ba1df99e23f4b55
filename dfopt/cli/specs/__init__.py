"""One command, one file: its `SPEC`."""
