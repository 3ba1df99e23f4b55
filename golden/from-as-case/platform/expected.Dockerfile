FROM --platform=$BUILDPLATFORM debian:13-slim AS base
