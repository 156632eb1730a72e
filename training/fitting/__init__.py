"""Fits a network: its layers, the batches, the training loop and the export to ONNX."""
