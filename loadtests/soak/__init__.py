"""Good and bad requests for half an hour, at half of what a service can take: ``python -m loadtests.soak``."""
