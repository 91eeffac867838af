import { MillraceError } from '../errors.js';
import type { MillraceStream } from '../stream.js';
import { drawResults } from './canvas-sink.js';

/**
 * The results of a stream as a MediaStream with one video track: for a video element, a recorder or a WebRTC call.
 * The track ends with the stream; each result that it shows is acknowledged then.
 * @throws {TypeError} where canvases cannot be captured.
 */
export function resultStream(stream: MillraceStream): MediaStream {
  const canvas = document.createElement('canvas');
  canvas.width = stream.parameters.width;
  canvas.height = stream.parameters.height;
  // Firefox captures only a canvas that has a context.
  canvas.getContext('2d', { alpha: false });
  // A frame is captured when one was drawn, not by the clock.
  const media = canvas.captureStream(0);
  const track = media.getVideoTracks()[0];
  if (!(track instanceof CanvasCaptureMediaStreamTrack))
    throw new TypeError('this canvas cannot be captured');
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
    // What ended the stream is in its `close` event.
    if (!(error instanceof MillraceError)) throw error;
  } finally {
    track.stop();
    // `stop` alone tells nobody.
    track.dispatchEvent(new Event('ended'));
  }
}
