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
  /** The server is full: how many are before this one, and for how long at a guess. */
  | { readonly name: 'queued'; readonly position: number; readonly seconds: number }
  /** The server is there and not ready. */
  | { readonly name: 'preparing'; readonly doing: string }
  | { readonly name: 'live' }
  /** The server asks for a token: for one, or for another than it was shown. */
  | { readonly name: 'locked'; readonly shown: boolean }
  /** Not connected; it is tried again by itself. `answers`: the server says that it is ready. */
  | { readonly name: 'retrying'; readonly problem: string; readonly answers: boolean }
  /** Not connected, and trying again by itself would not help. */
  | { readonly name: 'failed'; readonly problem: string };

/** What a link can be shown to wait for. */
type Waiting = Extract<LinkState, { readonly name: 'preparing' | 'retrying' }>;

interface LinkOptions {
  readonly url: string;
  /** Parameters for the next stream. */
  readonly parameters: () => ParameterUpdate;
  /** Access token for the next stream, if there is one. */
  readonly token: () => string | undefined;
  readonly opened: (stream: MillraceStream) => void;
  /** No picture comes for a while. */
  readonly interrupted: () => void;
  /** The stream goes on over another connection. */
  readonly reconnected: (stream: MillraceStream) => void;
  readonly closed: () => void;
  /** A parameter to start with was refused; says whether the next try goes without it. */
  readonly refused: (error: MillraceError) => boolean;
  /** Something that the stream survives. */
  readonly notice: (text: string) => void;
}

const preparingPause = 700;
const longestPause = 10_000;

/**
 * Keeps a stream open while it is wanted: connects, waits for a server that starts, and tries again. A stream that
 * is open comes back after a short loss by itself; here it is shown, and begun anew when that took too long.
 */
export class Link {
  readonly state = signal<LinkState>({ name: 'idle' });
  readonly #options: LinkOptions;
  #stop: AbortController | undefined;
  #retry: () => void = () => {};
  #stream: MillraceStream | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** While it is open or opening, only ends the pause before the next try. */
  open(): void {
    if (this.#stop !== undefined) {
      this.#retry();
      this.#stream?.retryNow();
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
    const { url, parameters, token, opened, closed } = this.#options;
    let tries = 0;
    this.state.value = { name: 'connecting' };
    while (!signal.aborted) {
      let error: MillraceError;
      try {
        const stream = await connect(url, {
          parameters: parameters(),
          token: token(),
          client: 'millrace-page',
          // Here it is shown what the server waits for.
          waitSeconds: 0,
          signal,
          queued: ({ position, wait_seconds: seconds }) => {
            this.state.value = { name: 'queued', position, seconds };
          },
        });
        if (signal.aborted) return void stream.close();
        tries = 0;
        const ended = this.#untilClosed(stream, signal);
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
    if (error.code === 'unauthorized') {
      return this.#stay({ name: 'locked', shown: this.#options.token() !== undefined }, signal);
    }
    const state = await this.#describe(error, signal);
    if (signal.aborted) return;
    if (state.name === 'retrying' && !error.retryable) {
      return this.#stay({ name: 'failed', problem: state.problem }, signal);
    }
    this.state.value = state;
    const pause = Math.min(longestPause, 1000 * 2 ** tries);
    await this.#pause(state.name === 'preparing' ? preparingPause : pause, signal);
  }

  /** Shows what is wrong until `open` is called again. */
  async #stay(state: LinkState, signal: AbortSignal): Promise<void> {
    this.state.value = state;
    await this.#pause(undefined, signal);
    if (!signal.aborted) this.state.value = { name: 'connecting' };
  }

  /** What is to be shown: what keeps the server from being ready, or else what went wrong. */
  async #describe(error: MillraceError, signal: AbortSignal): Promise<Waiting> {
    try {
      const { ready, doing } = await fetchReadiness(this.#options.url, { signal });
      return ready
        ? { name: 'retrying', problem: refusal(error), answers: true }
        : { name: 'preparing', doing };
    } catch (cause) {
      const unreachable = cause instanceof MillraceError && error.retryable ? cause : error;
      return { name: 'retrying', problem: inWords(unreachable), answers: false };
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

  /** Shows how it goes on with the stream; a stream that is no longer wanted is closed. @returns why it ended. */
  async #untilClosed(stream: MillraceStream, signal: AbortSignal): Promise<MillraceError> {
    const { interrupted, reconnected, notice } = this.#options;
    const close = (): void => void stream.close();
    signal.addEventListener('abort', close);
    this.#stream = stream;
    let seeking = new AbortController();
    stream.on('error', (error) => notice(inWords(error)));
    stream.on('reconnecting', (error) => {
      seeking = new AbortController();
      this.state.value = { name: 'connecting' };
      interrupted();
      void this.#follow(error, seeking.signal);
    });
    stream.on('reconnected', () => {
      seeking.abort();
      this.state.value = { name: 'live' };
      reconnected(stream);
    });
    return new Promise((resolve) => {
      stream.on('close', ({ error = new MillraceError('closed') }) => {
        seeking.abort();
        signal.removeEventListener('abort', close);
        resolve(error);
      });
    });
  }

  /** Shows what is wrong while the stream seeks another connection by itself, and hurries it when the server is back. */
  async #follow(error: MillraceError, signal: AbortSignal): Promise<void> {
    let away = false;
    while (!signal.aborted) {
      const state = await this.#describe(error, signal);
      if (signal.aborted) return;
      this.state.value = state;
      const answers = state.name === 'retrying' && state.answers;
      if (away && answers) this.#stream?.retryNow();
      away = !answers;
      await this.#pause(preparingPause, signal);
    }
  }
}

/** What went wrong with a server that answers. */
function refusal(error: MillraceError): string {
  if (error.code === 'too_many_sessions') return 'The server takes no more streams just now.';
  // The client has asked the server why, and says what it heard.
  return error.code === 'connection_failed' ? error.message : inWords(error);
}
