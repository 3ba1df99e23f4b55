"""What a build and a run of a Dockerfile showed, kept beside it in `dfopt.profile`: read, checked, and asked for facts.

`profiling` makes profiles; nothing here needs an engine.
"""
