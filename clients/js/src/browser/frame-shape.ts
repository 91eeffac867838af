/** A rectangle of a video that becomes a picture. */
export interface FrameShape {
  /** What is taken of the video. */
  readonly from: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Returns what to send of a video for results of a size, in no more pixels than that: the server does the rest of the
 * fitting. `cover` needs only the middle of the video; `contain` all of it in its own shape; `stretch` all of it.
 */
export function frameShape(
  video: Size,
  { width, height, fit }: Size & { readonly fit: 'cover' | 'contain' | 'stretch' },
): FrameShape {
  const all = { x: 0, y: 0, ...video };
  const [across, down] = [width / video.width, height / video.height];
  switch (fit) {
    case 'stretch':
      return { from: all, width, height };
    case 'contain': {
      const scale = Math.min(across, down);
      const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
      return { from: all, width: scaled(video.width), height: scaled(video.height) };
    }
    case 'cover': {
      const scale = Math.max(across, down);
      const from = { width: width / scale, height: height / scale };
      const [x, y] = [(video.width - from.width) / 2, (video.height - from.height) / 2];
      return { from: { x, y, ...from }, width, height };
    }
  }
}
