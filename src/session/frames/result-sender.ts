import type { ResultMessage } from '@millrace/protocol';
import type { GeneratedImage } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import type { FrameGate, WaitingResults } from './frame-gate.js';
import { publicId, type Frame, type FrameLedger } from './frame-ledger.js';
import { Mailbox } from './mailbox.js';
import { stageTimes, stageTimings } from './stage-times.js';

/** Generated pixels that wait to be encoded and sent. */
interface Result {
  readonly frame: Frame;
  readonly image: GeneratedImage;
  /** Gives the pixels back to the engine. */
  readonly release: () => void;
}

export interface ResultSenderOptions {
  readonly ledger: FrameLedger;
  readonly gate: FrameGate;
  readonly pictures: Pick<PictureCodec, 'encode' | 'encodePreview'>;
}

/** Sends results: each waits at the gate until the client can take it (the newest wins), is encoded, and sent. */
export class ResultSender implements WaitingResults {
  readonly #options: ResultSenderOptions;
  readonly #waiting: Mailbox<Result>;

  constructor(options: ResultSenderOptions) {
    const { ledger, gate } = options;
    this.#options = options;
    this.#waiting = new Mailbox({
      open: () => gate.maySend,
      work: (result) => this.#deliver(result),
      dropped: ({ frame, release }) => {
        release();
        ledger.drop(frame, 'stale');
      },
    });
  }

  /** Takes a result; settles when its pixels are no longer needed. */
  put(frame: Frame, image: GeneratedImage): Promise<void> {
    this.#options.gate.resultFinished(frame.arrivedAt);
    return new Promise<void>((release) => this.#waiting.put({ frame, image, release }));
  }

  poke(): void {
    this.#waiting.poke();
  }

  clear(): void {
    this.#waiting.clear();
  }

  async #deliver(result: Result): Promise<void> {
    const { ledger, gate, pictures } = this.#options;
    const { frame, image, release } = result;
    const { outlet } = ledger;
    const { window } = gate;
    if (!outlet || !window) return release();
    if (gate.holdBack(frame.arrivedAt)) return this.#waiting.putBack(result);
    let kept = false;
    window.reserve();
    const encodingAt = performance.now();
    try {
      const encoding = pictures.encode(image, frame.quality);
      const [data, controls] = image.controls
        ? await Promise.all([encoding, this.#encodePreviews(image.controls)])
        : [await encoding];
      if (this.#mustWait(frame, window)) {
        kept = true;
        window.cancel();
        return this.#waiting.putBack(result);
      }
      if (!ledger.answer(frame)) return window.cancel();
      const sentAt = performance.now();
      const timings = stageTimings(frame, image.timings, { encodingAt, sentAt });
      const times = stageTimes(frame, timings, sentAt, outlet.clock);
      const { captured } = frame;
      const { width, height } = image;
      const id = publicId(frame.id);
      const sequence = gate.resultSent(window, sentAt);
      const transit = frame.id < 0 ? null : outlet.clock.since(captured, frame.arrivedAt);
      outlet.meter.frameSent(sequence, timings, transit);
      const message = {
        type: 'result',
        id,
        sequence,
        captured,
        width,
        height,
        timings,
        times,
        data,
      } as const;
      const flagged = image.flagged === true && { flagged: true };
      // Most results have neither; a spread costs as much as all of the above.
      outlet.send(controls || flagged ? { ...message, ...(controls && { controls }), ...flagged } : message);
    } catch (error) {
      window.cancel();
      // Before the error, which ends the connection.
      ledger.drop(frame, 'failed');
      outlet.report('internal', 'the result could not be encoded', { id: publicId(frame.id) }, error);
    } finally {
      if (!kept) release();
    }
  }

  async #encodePreviews(
    pictures: NonNullable<GeneratedImage['controls']>,
  ): Promise<NonNullable<ResultMessage['controls']>> {
    const encoding = Object.entries(pictures).map(
      async ([name, picture]) => [name, await this.#options.pictures.encodePreview(picture)] as const,
    );
    return Object.fromEntries(await Promise.all(encoding));
  }

  /** Returns whether an encoded result must wait. If its connection was lost during encoding, it is for the next. */
  #mustWait(frame: Frame, window: FrameGate['window']): boolean {
    const { ledger, gate } = this.#options;
    const known = ledger.find(frame.id);
    if (!known) return false;
    return window !== gate.window || gate.holdBack(frame.arrivedAt);
  }
}
