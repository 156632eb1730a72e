"""The benchmark: the service against its baselines on one machine, in rounds: ``make bench``."""
