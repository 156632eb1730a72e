"""From a measured peak to workers, replicas and cost."""
