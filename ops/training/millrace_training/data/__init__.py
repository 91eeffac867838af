"""Gathering photos and cutting them into square crops."""
