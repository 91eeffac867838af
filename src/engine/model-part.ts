/** The networks of a model. */
export type ModelPart = 'text_encoder' | 'vae_encoder' | 'unet' | 'vae_decoder' | 'preprocessor';

/** Their names in messages. */
export const partNames: Readonly<Record<ModelPart, string>> = {
  text_encoder: 'text encoder',
  vae_encoder: 'VAE encoder',
  unet: 'U-Net',
  vae_decoder: 'VAE decoder',
  preprocessor: 'preprocessor',
};
