import type { ParameterUpdate, StreamParameters } from '@millrace/protocol';

/** A picture with what it is drawn as. Each has a seed of its own: its number. */
export interface TuningPicture {
  /** RGB, of the size in the parameters. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly prompt: string;
}

/** What results of a model are compared on. */
export interface TuningJob {
  /** Folder of the model. */
  readonly model: string;
  readonly threads: number;
  /** Parameters, where a trial does not change them. */
  readonly parameters: StreamParameters;
  /** Changes of the parameters that make the reference. */
  readonly reference: ParameterUpdate;
  readonly pictures: readonly TuningPicture[];
}

/** What the thread gets at its start. */
export interface TuningThreadData {
  readonly job: TuningJob;
  /** Not 0 once the thread must end; it looks between U-Net calls, since ending it within one ends the process. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** Asks how near to the reference a picture is drawn with some parameters changed. */
export interface Trial {
  readonly number: number;
  readonly changes: ParameterUpdate;
  /** Number of the picture. */
  readonly picture: number;
}

/** What the thread reports. */
export type TuningNews =
  | { readonly type: 'loading'; readonly what: string }
  /**
   * `error`: the root mean square of the finished latent's difference from the reference, as a share of the root mean
   * square of the reference; null if the parameters are refused or the networks compute no finite values.
   */
  | { readonly type: 'tried'; readonly number: number; readonly error: number | null };
