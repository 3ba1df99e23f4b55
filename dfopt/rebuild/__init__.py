"""From an image back to source: a Dockerfile and the context that it needs, such that building it gives an equal image.

`planning` decides what carries each file of each layer, `context_files` writes the files, `dockerfile_text` the text.
"""
