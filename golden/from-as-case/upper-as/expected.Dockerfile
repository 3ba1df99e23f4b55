from debian:13-slim as base
run true
