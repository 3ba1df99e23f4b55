"""Campaigns: the optimizer over a monorepo or many checkouts, planned, delivered in groups, and reported.

`task` processes one file, `local` and `dask` run it over many, `groups` and `owners` group the changes, `git` and
`deliver` deliver them, `journal` lets an interrupted campaign resume, `report` reports the outcome.
"""
