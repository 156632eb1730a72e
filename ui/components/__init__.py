"""Reusable pieces of the page: HTML fragments, the drawing canvas, notices and charts."""
