"""Measures a model: metrics, the rejection rule, reports, and the inputs of the robustness report."""
