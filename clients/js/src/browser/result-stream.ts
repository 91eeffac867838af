import { MillraceError } from '../errors.js';
import type { MillraceStream } from '../stream.js';
import { drawResults } from './canvas-sink.js';

/**
 * Returns the results of a stream as a MediaStream with one video track: for a video element, a recorder or a WebRTC
 * call. The track ends with the stream; each result is acknowledged when the track shows it.
 * @throws {TypeError} if the browser cannot capture a canvas.
 */
export function resultStream(stream: MillraceStream): MediaStream {
  const canvas = document.createElement('canvas');
  canvas.width = stream.parameters.width;
  canvas.height = stream.parameters.height;
  // Firefox captures only a canvas that has a context.
  canvas.getContext('2d', { alpha: false });
  // Frame rate 0: `requestFrame` captures a frame after each drawing.
  const media = canvas.captureStream(0);
  const track = media.getVideoTracks()[0];
  if (!(track instanceof CanvasCaptureMediaStreamTrack))
    throw new TypeError('this browser cannot capture a canvas');
  void draw(stream, canvas, track);
  return media;
}

async function draw(
  stream: MillraceStream,
  canvas: HTMLCanvasElement,
  track: CanvasCaptureMediaStreamTrack,
): Promise<void> {
  try {
    await drawResults(stream, canvas, { drawn: () => track.requestFrame() });
  } catch (error) {
    // The `close` event of the stream has the error.
    if (!(error instanceof MillraceError)) throw error;
  } finally {
    track.stop();
    // `stop` alone fires no event.
    track.dispatchEvent(new Event('ended'));
  }
}
