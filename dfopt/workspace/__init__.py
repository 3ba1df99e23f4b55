"""Files around the optimizer: discovery, configuration, atomic writes, and runs over many files."""
