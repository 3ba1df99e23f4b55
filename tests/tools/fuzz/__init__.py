"""A fuzzer of the whole command line, over everything that it reads: `python -m tests.tools.fuzz --help`."""
