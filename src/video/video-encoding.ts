/** How pictures are encoded: options of ffmpeg for the first video track. */
export interface VideoEncoding {
  readonly options: readonly string[];
  /** The filter that gives pictures the form that the encoder takes; '' for none. */
  readonly filter: string;
  /** A remark for the user; null if there is none. */
  readonly note: string | null;
}

/** The filter to the colours that players expect of HD. */
export const bt709 =
  'scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,' +
  'format=yuv420p';

/** The tags of these colours; without them players guess from the size. */
const bt709Tags = '-colorspace:v:0 bt709 -color_primaries:v:0 bt709 -color_trc:v:0 bt709 -color_range:v:0 tv';

/** Returns an encoding in the colours of HD. @param options those of the encoder, in one text. */
export function inBt709(options: string, note: string | null = null): VideoEncoding {
  return { options: `${options} ${bt709Tags}`.split(' '), filter: bt709, note };
}
