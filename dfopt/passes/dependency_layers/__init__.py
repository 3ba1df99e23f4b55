"""What the pass dependency-layers asks of a copy and of the installs behind it: one file for each kind of project."""
