import type { Size } from '../image/image.js';

/** One picture that is to be edited from its own noise. */
export interface InversionJob {
  /** Folder of the model. */
  readonly model: string;
  readonly threads: number;
  readonly size: Size;
  /** RGB. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly steps: number;
  readonly gamma: number;
  /** What the picture shows, and what the result should show. */
  readonly prompt: string;
  readonly edit: string;
  readonly negativePrompt: string;
  /** 1 and below: no guidance. */
  readonly guidanceScale: number;
}

/** A picture that was led to its noise and back under another prompt. */
export interface EditedPicture {
  /** RGB. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** The largest deviation of the latent from that of the given picture. */
  readonly deviation: number;
  /** U-Net calls, with both rows of guidance counted as one. */
  readonly calls: number;
}

/** What the thread reports. */
export type InversionNews =
  | { readonly type: 'loading'; readonly what: string }
  | { readonly type: 'calling'; readonly calls: number; readonly total: number }
  | { readonly type: 'done'; readonly edited: EditedPicture };
