"""Speed, memory and faults of dfopt and its peers, side by side: `python -m tests.bench DIR`."""
