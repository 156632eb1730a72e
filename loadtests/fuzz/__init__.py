"""Sends valid, malformed and malicious images to a running service: `python -m loadtests.fuzz`."""
