"""Makes profiles: builds a Dockerfile as it is, runs its smoke test once, and writes down what was seen (see
`dfopt.profile`)."""
