import { ffmpegAdvice, type Ffmpeg } from './ffmpeg.js';
import type { MediaStream } from './media-info.js';

/** How the colours of a video are converted to RGB for a common screen (BT.709, full range). */
export interface ColourPlan {
  /** ffmpeg filters, '' for none, that come before the conversion to RGB. */
  readonly filters: string;
  /** The scale filter's name for the matrix of the conversion. */
  readonly matrix: string;
  /** A remark about the colours for the user; null if there is none. */
  readonly note: string | null;
}

/** The scale filter's names for matrices. */
const matrices: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  smpte170m: 'bt601',
  bt470bg: 'bt601',
  fcc: 'fcc',
  smpte240m: 'smpte240m',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
};

const hdrTransfers: ReadonlySet<string> = new Set(['arib-std-b67', 'smpte2084']);
const widePrimaries: ReadonlySet<string> = new Set(['bt2020', 'smpte431', 'smpte432']);

/**
 * HDR Reference White, the luminance of a white page in cd/m2 (ITU-R BT.2408): the white of SDR. Brighter values, up to
 * the 1000 cd/m2 of a reference display, are compressed into the top tenth of the range.
 */
const referenceWhite = 203;
const peak = 1000 / referenceWhite;
const knee = 0.9;

/** Plans the conversion from the colours of a video to those of a common screen. */
export async function planColours(ffmpeg: Ffmpeg, stream: MediaStream): Promise<ColourPlan> {
  const { matrix, primaries, transfer } = stream.colours;
  const plain = { filters: '', matrix: matrices[matrix] ?? usualMatrix(stream), note: null };
  const isHdr = hdrTransfers.has(transfer);
  if (stream.dolbyVision === 5 && !isHdr) {
    return {
      ...plain,
      note: 'the colours are Dolby Vision, profile 5, which ffmpeg cannot read: they come out wrong',
    };
  }
  if (!isHdr && !widePrimaries.has(primaries)) return plain;
  if (!(await ffmpeg.has('filters', 'zscale')) || (isHdr && !(await ffmpeg.has('filters', 'tonemap')))) {
    const what = isHdr ? 'HDR' : 'of a wide gamut';
    const missing = `the filters zscale and tonemap are missing in ${ffmpeg.label}`;
    return { ...plain, note: `the colours are ${what} and come out pale: ${missing}; ${ffmpegAdvice}` };
  }
  const from = [
    `matrixin=${known(matrix, isHdr ? 'bt2020nc' : 'bt709')}`,
    `primariesin=${known(primaries, 'bt2020')}`,
    `transferin=${known(transfer, 'bt709')}`,
  ].join(':');
  const toLight = `zscale=${from}:transfer=linear:npl=${isHdr ? referenceWhite : 100},format=gbrpf32le`;
  const toneMap = `tonemap=tonemap=mobius:param=${knee}:peak=${peak}:desat=0`;
  const steps = [toLight, 'zscale=primaries=bt709', ...(isHdr ? [toneMap] : []), 'zscale=transfer=bt709'];
  return { filters: [...steps, 'format=gbrp'].join(','), matrix: 'auto', note: null };
}

/**
 * Returns the matrix that players assume: BT.709 for HD, BT.601 for smaller sizes; `auto` if the file names another.
 */
function usualMatrix({ colours, width, height }: MediaStream): string {
  if (colours.matrix !== 'unknown' && colours.matrix !== 'reserved') return 'auto';
  return width >= 1280 || height >= 720 ? 'bt709' : 'bt601';
}

function known(name: string, usual: string): string {
  return name === 'unknown' || name === 'reserved' ? usual : name;
}
