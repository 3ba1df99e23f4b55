"""The dynamic proof: build a file before and after, compare the two images, and keep the fixes that pass."""

from __future__ import annotations

from dfopt.proof.differences import Difference
from dfopt.proof.errors import ProofError
from dfopt.proof.fixes import Dropped, Proof, prove_fixes
from dfopt.proof.lab import Lab, ProofSettings
from dfopt.proof.verdict import ImageCost, ProofVerdict, Subject, verify

__all__ = [
    "Difference",
    "Dropped",
    "ImageCost",
    "Lab",
    "Proof",
    "ProofError",
    "ProofSettings",
    "ProofVerdict",
    "Subject",
    "prove_fixes",
    "verify",
]  # fmt: skip
