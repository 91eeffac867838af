"""The autoencoder: pictures to latents with a quarter of each side, and back."""
