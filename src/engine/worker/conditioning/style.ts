import type { StreamParameters } from '@millrace/protocol';
import { decodeImage } from '../../../image/decode.js';
import { ImageError } from '../../../image/image.js';
import { ParameterError } from '../../engine.js';
import type { ImageEncoder, StyleTokens } from '../networks/image-encoder.js';
import { EmbeddingCache } from './embedding-cache.js';

/** Shared by all streams to encode their style images. */
export interface StyleContext {
  /** Tokens by the file of the style image, as Latin-1 text; null if the model has no image encoder. */
  readonly styleTokens: Pick<EmbeddingCache<StyleTokens>, 'get'> | null;
}

/** Style images whose tokens are kept. */
const capacity = 32;
/** The session has made style images small; another caller of the engine may give any. */
const maxPixels = 16_000_000;

/** Creates the cache of tokens, so that streams with the same style image share them. */
export function createStyleCache(
  encoder: Pick<ImageEncoder, 'side' | 'encode'> | null,
): EmbeddingCache<StyleTokens> | null {
  if (encoder === null) return null;
  const { side } = encoder;
  const encode = async (file: string): Promise<StyleTokens> => {
    const box = { width: side, height: side, fit: 'cover' } as const;
    const { data } = await decodeImage(Buffer.from(file, 'latin1'), { maxPixels, box });
    return encoder.encode(data);
  };
  return new EmbeddingCache(encode, { capacity, onLookup: () => {} });
}

/**
 * Returns the tokens of a stream's style image; null if it has none.
 * @throws {ParameterError} if it is not a usable image.
 * @throws {NotFiniteError} if any value is NaN or infinite.
 */
export async function embedStyle(
  { styleTokens }: StyleContext,
  { style_image: file }: StreamParameters,
): Promise<StyleTokens | null> {
  if (file === null || styleTokens === null) return null;
  if (typeof file === 'string') throw new ParameterError('style_image', 'style_image must be a file');
  try {
    return await styleTokens.get(Buffer.from(file).toString('latin1'));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ParameterError('style_image', `style_image cannot be used: ${error.message}`);
  }
}
