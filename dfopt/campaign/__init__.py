"""Campaigns: the optimizer over a monorepo or many checkouts, planned, delivered in portions, and reported.

`task` works on one file, `local` and `dask` run it over many, `groups` and `owners` portion the changes, `git` and
`deliver` put them where they go, `journal` remembers a campaign that was interrupted, `report` tells what became of it.
"""
