import type { Image } from '../../../image/image.js';
import { asError } from '../../as-error.js';
import type { CostCurve } from '../../costs.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { blankPicture } from '../networks/sizes.js';
import { median, msOf, usualCounts } from './timing.js';

const rounds = 3;
/** Calls of twice as many pictures are tried while a picture takes at most this share of its time in smaller calls. */
const worthwhile = 0.95;
/** Most difference of what one call gives from what calls of one picture give, relative, as a root mean square. */
const tolerance = 0.02;

export interface MeasurePicturesOptions {
  /** Milliseconds to encode and decode a picture alone. */
  readonly aloneMs: number;
  /** Most frames that enter together. */
  readonly most: number;
  readonly onProgress: (what: string) => void;
  /** Called before each call of the networks; throws to stop. */
  readonly proceed: () => void;
  /** Receives notes for the operator. */
  readonly onNote: (text: string) => void;
}

type Vae = Pick<ModelRuntime, 'folder' | 'encode' | 'decode'>;

/** What encoding pictures gave, and decoding that; latents with NaN or infinite values are left out. */
type Pass = (
  pictures: readonly Image[],
) => Promise<{ readonly latents: readonly Float32Array[]; readonly outs: readonly Image[] }>;

/**
 * Times the VAE with several pictures a call, at the model's default size: as many as enter together, and while larger
 * calls pay. Calls alternate with those of one picture, so that other load on the machine affects both. An export that
 * fails or gives something else with several pictures gets one a call, with a note.
 */
export async function measurePictures(vae: Vae, options: MeasurePicturesOptions): Promise<CostCurve> {
  const { aloneMs, most, onProgress, proceed, onNote } = options;
  const { vaeEncoder, vaeDecoder } = vae.folder.layout;
  const one = { rows: 1, ms: aloneMs };
  const curve = [one];
  if (vaeEncoder.rows === 1 || vaeDecoder.rows === 1) return curve;
  const counts = usualCounts.filter((count) => count > 1 && count <= most);
  const pictures = Array.from({ length: Math.max(0, ...counts) }, (_, i) => {
    const { data, ...size } = blankPicture(vae.folder);
    return { ...size, data: data.map((_, at) => ((i + 1) * at) % 256) };
  });
  const pass: Pass = async (some) => {
    const latents = (await vae.encode(some)).flatMap((latent) => latent?.slice() ?? []);
    const outs = latents.map(() => blankPicture(vae.folder));
    if (latents.length > 0) await vae.decode(latents, outs);
    return { latents, outs };
  };
  const call = async (count: number): Promise<unknown> => {
    proceed();
    return pass(pictures.slice(0, count));
  };
  for (const count of counts) {
    onProgress('measuring the cost of pictures');
    proceed();
    const problem = await problemOf(pictures.slice(0, count), pass);
    if (problem !== null) {
      onNote(`the VAE takes one picture a call, since ${problem}`);
      return [one];
    }
    const [alone, together]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      alone.push(await msOf(() => call(1)));
      together.push(await msOf(() => call(count)));
    }
    const ms = (aloneMs * median(together)) / median(alone);
    const before = curve.at(-1) ?? one;
    curve.push({ rows: count, ms });
    if (ms / count > (worthwhile * before.ms) / before.rows) break;
  }
  return curve;
}

/** Returns why pictures cannot share a call; null if they can. */
async function problemOf(pictures: readonly Image[], pass: Pass): Promise<string | null> {
  try {
    const together = await pass(pictures);
    const last = await pass(pictures.slice(-1));
    const agrees =
      distance(together.latents.at(-1), last.latents[0]) <= tolerance &&
      distance(together.outs.at(-1)?.data, last.outs[0]?.data) <= tolerance;
    const remedy = 'export it again with a dynamic batch size';
    return agrees ? null : `it gives something else with ${pictures.length}: ${remedy}`;
  } catch (error) {
    return `it fails with ${pictures.length}: ${asError(error).message}`;
  }
}

/** Returns the root mean square of a difference, as a share of that of the second; Infinity if one is missing. */
function distance(a: ArrayLike<number> = [], b: ArrayLike<number> = []): number {
  if (a.length !== b.length || a.length === 0) return Infinity;
  let [error, all] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    error += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
    all += (b[i] ?? 0) ** 2;
  }
  return Math.sqrt(error / Math.max(all, 1e-9));
}
