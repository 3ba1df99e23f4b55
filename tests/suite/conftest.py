"""The applications' own files are no tests of ours."""

collect_ignore_glob = ["apps/*", "unseen/*", "unseen2/*", "unseen3/*"]
