"""The command line: one command, one file; its options stand in `options.py` and nowhere else."""
