"""Benchmark of the service against other servers on one machine: `make bench`."""
