"""The command line: one file for each command; options are declared in `specs/`."""
