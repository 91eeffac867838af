"""Writes a trained model for Millrace and for Python's diffusers, and checks it."""
