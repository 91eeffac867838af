"""The autoencoder: pictures to latents a quarter as wide and back."""
