"""What the run of an image needs, as a build of the file and its smoke test show it."""
