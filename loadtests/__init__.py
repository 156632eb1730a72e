"""Load tests over HTTP, and the benchmark: the service, its baselines, and its parts without HTTP."""
