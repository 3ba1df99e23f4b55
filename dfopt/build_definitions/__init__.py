"""Build definitions: the files that say which Dockerfiles are built, in which context, with which arguments and under
which names (Compose, bake, Dev Containers, Skaffold, CI, Makefiles, shell scripts).

One reader a format, one model. What a definition does not state literally is unknown, with the reason; it is never
guessed.
"""
