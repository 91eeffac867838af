"""Exports diffusers models and single checkpoint files as ONNX graphs for Millrace."""
