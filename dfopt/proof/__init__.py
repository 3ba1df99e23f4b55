"""The dynamic proof: build a file before and after, compare the two images, and keep the fixes that pass."""

from __future__ import annotations

from dfopt.proof.differences import Difference
from dfopt.proof.errors import ProofError
from dfopt.proof.fixes import Dropped, Proof, prove_fixes
from dfopt.proof.lab import Lab, Plan
from dfopt.proof.verdict import Figures, Subject, Verdict, verify

__all__ = [
    "Difference", "Dropped", "Figures", "Lab", "Plan", "Proof", "ProofError", "Subject", "Verdict", "prove_fixes",
    "verify",
]  # fmt: skip
