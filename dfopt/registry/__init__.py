"""Digests of images: credentials, a registry client, the lock file, and the resolver that combines them.

Nothing is imported here on purpose: `lock` and `resolver` need the standard library alone, and `client` brings httpx
(about 100 ms), which an offline run never pays for.
"""
