"""How good a model is, on material that it was never trained on."""
