import { connect, fetchCapabilities, type MillraceError, type MillraceStream } from '@millrace/client';
import {
  isSameValue,
  type ParameterName,
  type ParameterUpdate,
  type ResultMessage,
  type StreamParameters,
} from '@millrace/protocol';
import { readFile } from 'node:fs/promises';
import { asError } from '../../engine/as-error.js';
import type { EngineStream, FrameInput, StreamListener } from '../../engine/engine.js';
import { decodeImage } from '../../image/decode.js';
import { encodeJpeg } from '../../image/encode.js';
import type { Image } from '../../image/image.js';
import { ClientSocket } from '../../transport/client-socket.js';
import type { Painter, PainterObserver } from './painter.js';
import { RunError } from './run-error.js';
import { maxPixels } from './still.js';

/** The server that is asked. */
export interface Remote {
  /** Address of the server. */
  readonly url: string;
  /** An API key or JSON Web Token. */
  readonly token: string | undefined;
}

/** Quality of the JPEGs to and from the server: frames of a file are to be as good as those made here. */
const jpegQuality = 95;

/** Finds out what a server offers; it checks values itself. @throws {MillraceError} */
export async function openRemotePainter(
  { url, token }: Remote,
  { onWait, onFlagged }: PainterObserver,
  signal: AbortSignal,
): Promise<Painter> {
  const { properties } = (await fetchCapabilities(url, { signal })).parameters;
  const entries = Object.entries(properties).map(([name, schema]) => [name, schema.default] as const);
  const offered = Object.fromEntries(entries) as unknown as StreamParameters;
  return {
    defaults: { ...offered, quality: jpegQuality },
    width: properties.width,
    height: properties.height,
    controls: [],
    check: (update) => update,
    readStyleImage: readPictureFile,
    start: () => Promise.resolve(),
    allocate: (bytes) => new Uint8Array(bytes),
    async openStream(parameters, listener) {
      const stream = await connect(url, {
        webSocket: ClientSocket,
        client: 'millrace run',
        parameters: changesBetween(offered, parameters),
        token,
        signal,
        queued: ({ position }) => onWait(`waiting for a slot of the server (place ${position})`),
        waiting: (reason) => onWait(reason.message),
      });
      return new RemoteStream(stream, parameters, listener, onFlagged);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function readPictureFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new RunError(`${file} cannot be read`, { cause: error });
  }
}

/** A frame that the server has not answered. */
interface Sent {
  readonly frame: number;
  readonly jpeg: Uint8Array;
  readonly tries: number;
}

/** How often a frame is sent again that was lost with a connection, or replaced on its way. */
const mostTries = 8;
/** The client does not tell when credits come back. */
const pollMs = 3;

/**
 * A stream of a server as the engine's: no frame replaces another, since each is sent only when the server works on all
 * before it, and there are never more under way than it may have results waiting.
 */
class RemoteStream implements EngineStream {
  readonly #stream: MillraceStream;
  readonly #listener: StreamListener;
  readonly #onFlagged: () => void;
  /** By the id that the frame was sent with. */
  readonly #sent = new Map<number, Sent>();
  /** Credits when no frame waits at the server. */
  #allCredits: number;
  #parameters: StreamParameters;
  #fault: MillraceError | null = null;

  constructor(
    stream: MillraceStream,
    parameters: StreamParameters,
    listener: StreamListener,
    onFlagged: () => void,
  ) {
    this.#stream = stream;
    this.#parameters = parameters;
    this.#listener = listener;
    this.#onFlagged = onFlagged;
    this.#allCredits = stream.credits;
    stream.on('result', (result) => void this.#receive(result));
    stream.on('dropped', ({ id, reason }) => this.#dropped(id, reason));
    stream.on('error', (error) => (this.#fault = error));
    stream.on('reconnected', () => (this.#allCredits = stream.credits));
    stream.on('close', ({ error }) => {
      if (error) this.#listener.onClosed(error);
    });
  }

  get understood(): MillraceStream['understood'] {
    return this.#stream.understood;
  }

  push(frame: number, { image }: FrameInput): void {
    if (image === null) throw new Error('a server gets only frames with a picture');
    this.#pass(frame, image).catch((error: unknown) => this.#listener.onClosed(asError(error)));
  }

  async configure(parameters: StreamParameters): Promise<{ readonly from: number }> {
    const { from } = await this.#stream.update(changesBetween(this.#parameters, parameters));
    this.#parameters = parameters;
    return { from };
  }

  snapshot(): Promise<never> {
    return Promise.reject(new Error('the server keeps the state of its streams'));
  }

  close(): void {
    void this.#stream.close();
  }

  async #pass(frame: number, image: Image): Promise<void> {
    const jpeg = await encodeJpeg(image, jpegQuality);
    await this.#roomAtServer();
    this.#send({ frame, jpeg, tries: 1 });
    await this.#roomAtServer();
    this.#listener.onAdmitted(frame);
  }

  #send(sent: Sent): void {
    if (!this.#stream.closed) this.#sent.set(this.#stream.send(sent.jpeg), sent);
  }

  /** Waits until the server works on all frames that it has, and may send their results. */
  async #roomAtServer(): Promise<void> {
    const isFull = (): boolean =>
      this.#stream.credits < this.#allCredits ||
      this.#sent.size >= this.#stream.limits.unacknowledged_results;
    while (!this.#stream.closed && isFull()) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }

  async #receive({ id, data, timings, flagged }: ResultMessage): Promise<void> {
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#sent.delete(id);
    if (flagged) this.#onFlagged();
    const { queue, encode, denoise, vae_decode: decode } = timings;
    const stages = { queueMs: queue, vaeEncodeMs: encode, denoiseMs: denoise, vaeDecodeMs: decode };
    try {
      await this.#listener.onResult(sent.frame, {
        ...(await decodeImage(data, { maxPixels })),
        timings: stages,
      });
    } catch (error) {
      this.#listener.onClosed(asError(error));
    }
  }

  #dropped(id: number, reason: string): void {
    const sent = this.#sent.get(id);
    if (!sent) return;
    this.#sent.delete(id);
    if (reason === 'similar') return this.#listener.onDropped(sent.frame, 'similar');
    if (reason !== 'invalid' && sent.tries < mostTries) return this.#send({ ...sent, tries: sent.tries + 1 });
    const why = this.#fault?.message ?? `it was dropped (${reason}), at try ${sent.tries} of ${mostTries}`;
    this.#listener.onClosed(new Error(`the server has no result for frame ${sent.frame + 1}: ${why}`));
  }
}

/** Returns the parameters that have another value. */
function changesBetween(before: StreamParameters, after: StreamParameters): ParameterUpdate {
  const names = Object.keys(after) as ParameterName[];
  const changed = names.filter((name) => !isSameValue(before[name], after[name]));
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}
