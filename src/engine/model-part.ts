/** The networks of a model. */
export type ModelPart =
  | 'text_encoder'
  | 'image_encoder'
  | 'vae_encoder'
  | 'control'
  | 'unet'
  | 'vae_decoder'
  | 'preprocessor'
  | 'safety_checker';

/** Their names in messages. */
export const partNames: Readonly<Record<ModelPart, string>> = {
  text_encoder: 'text encoder',
  image_encoder: 'image encoder',
  vae_encoder: 'VAE encoder',
  control: 'control network',
  unet: 'U-Net',
  vae_decoder: 'VAE decoder',
  preprocessor: 'preprocessor',
  safety_checker: 'safety checker',
};
