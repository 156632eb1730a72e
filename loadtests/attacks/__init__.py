"""Denial-of-service attacks on a running service: `python -m loadtests.attacks`."""
