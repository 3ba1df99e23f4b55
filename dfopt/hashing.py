"""SHA-256 without OpenSSL, which `hashlib` loads: that takes 5 MB and some milliseconds, for digests of small files.

CPython has it in a module of its own, `_sha2` (since 3.12) or `_sha256`; where neither is built in, `hashlib` serves.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        sha256 = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
    except (ImportError, AttributeError):
        import hashlib

        sha256 = hashlib.sha256

__all__ = ["sha256"]
