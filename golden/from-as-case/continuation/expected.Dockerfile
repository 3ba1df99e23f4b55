FROM debian:13-slim \
    # the base
    AS base
