"""The dynamic proof: a file built before and after, the two images compared, and the fixes that hold kept."""

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
