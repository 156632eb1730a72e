"""What lies between HTTP and ONNX Runtime."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported, which reports to its maker otherwise
# For the workers, which the C library gives their memory before anything is imported: pictures of every size in several threads
# would otherwise leave twice as much of it in pieces that nobody can use.
os.environ.setdefault("MALLOC_ARENA_MAX", "2")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(1 << 20))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(4 << 20))
