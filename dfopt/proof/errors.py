"""The error of the proof."""

from __future__ import annotations


class ProofError(Exception):
    """Nothing can be proved: the original file does not build or fails its smoke test. The message is for users."""
