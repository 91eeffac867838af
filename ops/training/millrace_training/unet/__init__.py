"""The U-Net: from a noisy latent, a time and a prompt to the stylised latent."""
