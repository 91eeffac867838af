import type { Image } from '../../image/image.js';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import type { LeftTrack, PlannedTrack } from '../../video/tracks.js';
import type { Input } from './input.js';

/** The target of generated frames. Disposal before `finish` leaves no file behind. */
export interface Output extends AsyncDisposable {
  /** Writes the next frame; its memory may be changed once the promise has settled. */
  write(image: Image, frame: { readonly time: number; readonly name: string | null }): Promise<void>;
  /**
   * Moves the written files to their place, or ends the stream.
   * @param isCut whether the input was not read to its end: its sound then ends with the last frame too.
   */
  finish(isCut?: boolean): Promise<void>;
  /** The sound and other tracks of a video, kept or left out. */
  readonly tracks: { readonly kept: readonly PlannedTrack[]; readonly left: readonly LeftTrack[] };
  /** Remarks on the output for the user. */
  readonly notes: readonly string[];
}

export const noTracks: Output['tracks'] = { kept: [], left: [] };

export interface OutputOptions {
  readonly input: Input;
  /** Called only if ffmpeg is needed. */
  readonly ffmpeg: () => Promise<Ffmpeg>;
  readonly overwrite: boolean;
  /** Quality of the video, null for the default of its format. */
  readonly crf: number | null;
  /** Quality of JPEG and WebP images, 1 to 100. */
  readonly quality: number;
  /** Format of standard output; absent: Matroska. */
  readonly format?: string | undefined;
}
