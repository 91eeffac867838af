"""Prompts: phrases of users for each style and mood, and a generator of prompts."""
