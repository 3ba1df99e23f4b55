"""Golden cases: directories that hold a Dockerfile and what dfopt must make of it, and the laws that each must obey."""
