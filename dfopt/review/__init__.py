"""The review of an image: its size, its dead bytes, what should not be in it, and the lines responsible.

Floor 5, above `image/`: it combines an image with the optimizer's result for its Dockerfile.
"""
