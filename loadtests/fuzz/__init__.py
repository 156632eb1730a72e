"""Odd and broken pictures posted to a real service: ``python -m loadtests.fuzz``."""
