"""Prompts: what people write for each style and mood, and a generator of such prompts."""
