/** What the page needs of a browser, and old ones lack. */
const needed: Readonly<Record<string, () => boolean>> = {
  WebSocket: () => 'WebSocket' in globalThis,
  createImageBitmap: () => 'createImageBitmap' in globalThis,
  OffscreenCanvas: () => 'OffscreenCanvas' in globalThis,
  'OffscreenCanvas.convertToBlob': () =>
    !('OffscreenCanvas' in globalThis) || 'convertToBlob' in OffscreenCanvas.prototype,
  requestVideoFrameCallback: () => 'requestVideoFrameCallback' in HTMLVideoElement.prototype,
};

/** Returns what this browser lacks, for people; undefined if it has everything. */
export function missingFeatures(): string | undefined {
  const missing = Object.entries(needed).flatMap(([name, isThere]) => (isThere() ? [] : [name]));
  if (missing.length === 0) return undefined;
  return (
    `This browser lacks ${missing.join(' and ')}, which this page needs. ` +
    'Use Chrome or Edge 94, Firefox 132, Safari 16.4, or a newer one.'
  );
}
