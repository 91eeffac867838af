"""Collects photos and cuts them into square crops."""
