"""The text encoder: a small CLIP text model, its tokenizer and its training."""
