"""The review of an image: what it costs, what of that is dead, what should not be in it, and which line did it.

Floor 5, above `image/`: it combines an image that was read with what the optimizer says about its Dockerfile.
"""
