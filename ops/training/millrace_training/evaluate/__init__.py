"""Evaluates a model on held-out data."""
