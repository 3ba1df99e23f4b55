"""Hosts: files of other kinds that hold Dockerfiles and image names (Compose, CI, Python, templates).

A host is read into `Embedded` parts; each goes through the optimizer and its gate as a Dockerfile of its own, and what
comes out is mapped back. Then the whole edited host is read anew: nothing but the declared parts may differ.
"""
