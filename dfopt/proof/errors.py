"""The one error of the proof."""

from __future__ import annotations


class ProofError(Exception):
    """Nothing can be proved: the file does not build as it is, or its smoke test fails already. Made to be shown."""
