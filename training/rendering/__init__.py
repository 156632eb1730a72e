"""Renders images from scans, strokes and drawings: augmentation, other brushes, photographs, generated digits."""
