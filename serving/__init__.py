"""What lies between HTTP and ONNX Runtime."""
