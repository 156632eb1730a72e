"""Locust scenarios: `make loadtest`."""
