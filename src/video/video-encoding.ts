/** How pictures are encoded: options of ffmpeg for the first video track. */
export interface VideoEncoding {
  readonly options: readonly string[];
  /** The filter that gives pictures the form that the encoder takes; '' for none. */
  readonly filter: string;
  /** A remark for the user; null if there is none. */
  readonly note: string | null;
}

/** The colours that players expect of HD; without these tags they guess from the size. */
export const bt709: Pick<VideoEncoding, 'options' | 'filter'> = {
  options: '-colorspace:v:0 bt709 -color_primaries:v:0 bt709 -color_trc:v:0 bt709 -color_range:v:0 tv'.split(
    ' ',
  ),
  filter:
    'scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,' +
    'format=yuv420p',
};
