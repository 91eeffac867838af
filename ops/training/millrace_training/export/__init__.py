"""Writing a trained model for Millrace and for Python's diffusers, and checking it."""
