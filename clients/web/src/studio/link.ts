import {
  connect,
  fetchReadiness,
  MillraceError,
  type MillraceStream,
  type ParameterUpdate,
} from '@millrace/client';
import { signal } from '@preact/signals';
import { inWords } from './words.js';

export type LinkState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  /** The server is there and not ready. */
  | { readonly name: 'preparing'; readonly doing: string }
  | { readonly name: 'live' }
  /** Not connected; it is tried again by itself. */
  | { readonly name: 'retrying'; readonly problem: string }
  /** Not connected, and trying again by itself would not help. */
  | { readonly name: 'failed'; readonly problem: string };

interface LinkOptions {
  readonly url: string;
  /** Parameters for the next stream. */
  readonly parameters: () => ParameterUpdate;
  readonly opened: (stream: MillraceStream) => void;
  readonly closed: () => void;
  /** A parameter to start with was refused; says whether the next try goes without it. */
  readonly refused: (error: MillraceError) => boolean;
  /** Something that the stream survives. */
  readonly notice: (text: string) => void;
}

const preparingPause = 700;
const longestPause = 10_000;

/** Keeps a stream open while it is wanted: connects, waits for a server that starts, and tries again. */
export class Link {
  readonly state = signal<LinkState>({ name: 'idle' });
  readonly #options: LinkOptions;
  #stop: AbortController | undefined;
  #retry: () => void = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Does nothing while it is open or opening. */
  open(): void {
    if (this.#stop !== undefined) {
      this.#retry();
      return;
    }
    this.#stop = new AbortController();
    void this.#run(this.#stop.signal);
  }

  close(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.state.value = { name: 'idle' };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { url, parameters, opened, closed, notice } = this.#options;
    let tries = 0;
    this.state.value = { name: 'connecting' };
    while (!signal.aborted) {
      let error: MillraceError;
      try {
        const stream = await connect(url, { parameters: parameters(), client: 'millrace-page', signal });
        if (signal.aborted) return void stream.close();
        tries = 0;
        const ended = untilClosed(stream, signal, (problem) => {
          if (!problem.fatal) notice(inWords(problem));
        });
        opened(stream);
        this.state.value = { name: 'live' };
        error = await ended;
        if (signal.aborted) return;
        closed();
      } catch (cause) {
        if (!(cause instanceof MillraceError)) {
          if (signal.aborted) return;
          throw cause;
        }
        error = cause;
      }
      if (signal.aborted) return;
      await this.#recover(error, tries++, signal);
    }
  }

  /** Shows what is wrong, and waits until another try makes sense. */
  async #recover(error: MillraceError, tries: number, signal: AbortSignal): Promise<void> {
    if (error.code === 'invalid_parameter' && this.#options.refused(error)) return;
    const preparing = await this.#askWhatItIsDoing(signal);
    if (signal.aborted) return;
    if (preparing !== undefined) {
      this.state.value = { name: 'preparing', doing: preparing };
      await this.#pause(preparingPause, signal);
    } else if (error.retryable) {
      this.state.value = { name: 'retrying', problem: inWords(error) };
      await this.#pause(Math.min(longestPause, 1000 * 2 ** tries), signal);
    } else {
      this.state.value = { name: 'failed', problem: inWords(error) };
      await this.#pause(undefined, signal);
      this.state.value = { name: 'connecting' };
    }
  }

  /** What keeps the server from being ready; undefined if nothing does, or it cannot be reached. */
  async #askWhatItIsDoing(signal: AbortSignal): Promise<string | undefined> {
    try {
      const { ready, doing } = await fetchReadiness(this.#options.url, { signal });
      return ready ? undefined : doing;
    } catch {
      return undefined;
    }
  }

  /** Ends after `time`, when `open` is called again, or when it is closed. */
  async #pause(time: number | undefined, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = time === undefined ? undefined : setTimeout(done, time);
      signal.addEventListener('abort', done);
      this.#retry = done;
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
    this.#retry = () => {};
  }
}

/** Why the stream ended; a stream that is no longer wanted is closed. */
async function untilClosed(
  stream: MillraceStream,
  signal: AbortSignal,
  onError: (error: MillraceError) => void,
): Promise<MillraceError> {
  const close = (): void => void stream.close();
  stream.on('error', onError);
  signal.addEventListener('abort', close);
  return new Promise((resolve) => {
    stream.on('close', ({ error = new MillraceError('closed') }) => {
      signal.removeEventListener('abort', close);
      resolve(error);
    });
  });
}
