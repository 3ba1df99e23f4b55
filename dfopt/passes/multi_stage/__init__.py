"""What the pass multi-stage works with: the flow of files through a stage, and the plan of its split."""
