"""What recipes and the pass multi-stage stand on: reading files, checking tables, stage templates and their recipes.

Nothing here imports a pass.
"""
