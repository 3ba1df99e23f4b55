"""Shared by recipes and the pass multi-stage: reading files, checking tables, stage templates and their recipes.

Nothing here imports a pass.
"""
