"""The serving code between HTTP and ONNX Runtime; sets environment variables that must precede the import of libraries."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is imported; otherwise it sends telemetry
# For the workers, whose C library reads these before anything is imported: images of all sizes in several threads would
# otherwise fragment the heap to twice its size.
os.environ.setdefault("MALLOC_ARENA_MAX", "2")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 20))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(8 << 20))
