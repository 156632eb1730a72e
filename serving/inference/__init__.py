"""Encoded images to predictions: preprocessing, batching, sessions, postprocessing and explanations."""
