"""Simulates drift: false alarms, and how many pictures of what has changed are noticed. See docs/drift.md."""
