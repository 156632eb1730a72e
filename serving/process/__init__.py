"""Worker processes: their slots, shared counters, runtime folder, metrics, logs and shutdown."""
