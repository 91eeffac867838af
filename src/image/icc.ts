/** Larger profiles are ignored: those of displays have at most tens of kilobytes, those of printers two megabytes. */
export const maxProfileBytes = 4 * 1024 * 1024;

const signature = (text: string): number => Buffer.from(text, 'latin1').readUInt32BE();

/** Columns of sRGB's matrix as profiles store them, adapted to D50 (IEC 61966-2-1, Bradford). */
const srgbColorants = [
  { tag: signature('rXYZ'), xyz: [0.4361, 0.2225, 0.0139] },
  { tag: signature('gXYZ'), xyz: [0.3851, 0.7169, 0.0971] },
  { tag: signature('bXYZ'), xyz: [0.1431, 0.0606, 0.7141] },
] as const;
const curves = ['rTRC', 'gTRC', 'bTRC'].map(signature);
/** Value of sRGB's transfer curve at a half. */
const srgbHalf = 0.214;

/** A table in place of matrix and curves. */
const table = signature('A2B0');
/** Chains of any number of steps per pixel, which could take very long. Hardly any profile has them. */
const chains: readonly number[] = ['D2B0', 'D2B1', 'D2B2', 'D2B3'].map(signature);
const maxTags = 100;
const profileSignature = signature('acsp');
const rgb = signature('RGB ');
const parametric = signature('para');
const sampled = signature('curv');

/**
 * Returns whether a colour profile (ICC.1:2022) changes the colours. The profile of sRGB, which browsers put into every
 * JPEG that they write, does not; applying it would take several times as long as decoding. Profiles that are damaged,
 * or that a decoder could take very long to apply, are ignored.
 */
export function mustApply(profile: Uint8Array): boolean {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  if (profile.length < 132 || profile.length > maxProfileBytes || view.getUint32(36) !== profileSignature)
    return false;
  return (
    view.getUint32(128) <= maxTags && chains.every((tag) => findTag(view, tag) === null) && !isSrgb(view)
  );
}

function isSrgb(view: DataView): boolean {
  if (view.getUint32(16) !== rgb || findTag(view, table) !== null) return false;
  const primaries = srgbColorants.every(({ tag, xyz }) => {
    const at = findTag(view, tag);
    if (at === null || at + 20 > view.byteLength) return false;
    return xyz.every((wanted, index) => Math.abs(fixed(view, at + 8 + 4 * index) - wanted) < 0.001);
  });
  return primaries && curves.every((tag) => hasSrgbCurve(view, findTag(view, tag)));
}

/** Returns the offset of a tag's data; null if there is none. */
function findTag(view: DataView, tag: number): number | null {
  const end = 132 + 12 * view.getUint32(128);
  for (let at = 132; at < end && at + 12 <= view.byteLength; at += 12) {
    if (view.getUint32(at) === tag) return view.getUint32(at + 4);
  }
  return null;
}

function hasSrgbCurve(view: DataView, at: number | null): boolean {
  if (at === null || at + 12 > view.byteLength) return false;
  const half = view.getUint32(at) === parametric ? parametricHalf(view, at) : sampledHalf(view, at);
  return Math.abs(half - srgbHalf) < 0.002;
}

/** Evaluates a `parametricCurveType` at a half, in the two forms that sRGB is written in; NaN for any other. */
function parametricHalf(view: DataView, at: number): number {
  const form = view.getUint16(at + 8);
  if ((form !== 3 && form !== 4) || at + (form === 3 ? 32 : 40) > view.byteLength) return Number.NaN;
  const [gamma, a, b] = [fixed(view, at + 12), fixed(view, at + 16), fixed(view, at + 20)];
  return (a / 2 + b) ** gamma + (form === 4 ? fixed(view, at + 32) : 0);
}

/** Evaluates a `curveType` with samples at a half; NaN for any other. */
function sampledHalf(view: DataView, at: number): number {
  const count = view.getUint32(at + 8);
  if (view.getUint32(at) !== sampled || count < 256 || at + 12 + 2 * count > view.byteLength)
    return Number.NaN;
  const middle = (count - 1) / 2;
  const sample = (index: number): number => view.getUint16(at + 12 + 2 * index) / 65_535;
  return (sample(Math.floor(middle)) + sample(Math.ceil(middle))) / 2;
}

/** Reads an `s15Fixed16Number`. */
function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65_536;
}
