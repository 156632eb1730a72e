"""Servers that the benchmark compares with: the same model behind FastAPI and behind BentoML as documented."""
