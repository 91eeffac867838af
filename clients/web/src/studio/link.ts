import {
  connect,
  fetchReadiness,
  MillraceError,
  type MillraceStream,
  type ParameterUpdate,
} from '@millrace/client';
import { signal } from '@preact/signals';
import { inWords } from './words.js';
import { isRefusedValue } from './refused-value.js';

export type LinkState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | {
      /** The server is full. */
      readonly name: 'queued';
      /** The place in its queue: now, and the first one. */
      readonly position: number;
      readonly first: number;
      /** The expected wait. */
      readonly seconds: number;
      /** When the wait began, by `performance.now`. */
      readonly since: number;
    }
  /** The server is running but not ready. */
  | { readonly name: 'preparing'; readonly doing: string }
  | { readonly name: 'live' }
  /** The server requires a token. `shown`: it refused the one that it got. */
  | { readonly name: 'locked'; readonly shown: boolean }
  /** Not connected; the link tries again. `answers`: the server says that it is ready. */
  | { readonly name: 'retrying'; readonly problem: string; readonly answers: boolean }
  /** Not connected, and trying again would not help. */
  | { readonly name: 'failed'; readonly problem: string };

/** The states in which a link waits for the server. */
type Waiting = Extract<LinkState, { readonly name: 'preparing' | 'retrying' }>;

interface LinkOptions {
  readonly url: string;
  /** Parameters for the next stream. */
  readonly parameters: () => ParameterUpdate;
  /** Access token for the next stream, if there is one. */
  readonly token: () => string | undefined;
  readonly opened: (stream: MillraceStream) => void;
  /** The connection was lost: no pictures arrive for a while. */
  readonly interrupted: () => void;
  /** The stream continues over another connection. */
  readonly reconnected: (stream: MillraceStream) => void;
  readonly closed: () => void;
  /** The server has no room for another stream now. */
  readonly full: () => void;
  /** An initial parameter was refused. @returns whether the next attempt omits it. */
  readonly refused: (error: MillraceError) => boolean;
  /** Reports an error that does not end the stream. */
  readonly notice: (text: string) => void;
}

const preparingPauseMs = 700;
const longestPauseMs = 10_000;

/**
 * Keeps a stream open until it is closed: connects, waits for a server that is starting, and tries again. An open
 * stream reconnects by itself after a short loss; the link shows that, and opens a new stream if it fails.
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

  /** Opens the link. If it is open or opening, only ends the pause before the next attempt. */
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
    const { url, parameters, token, opened, closed, full } = this.#options;
    let attempts = 0;
    this.state.value = { name: 'connecting' };
    while (!signal.aborted) {
      let error: MillraceError;
      try {
        const stream = await connect(url, {
          parameters: parameters(),
          token: token(),
          client: 'millrace-page',
          // The link itself waits, and shows what the server is doing.
          waitSeconds: 0,
          signal,
          queued: ({ position, wait_seconds: seconds }) => {
            const before = this.state.peek();
            const now = { first: position, since: performance.now() };
            const { first, since } = before.name === 'queued' ? before : now;
            this.state.value = { name: 'queued', position, first, seconds, since };
            // A place that has changed is no news of other tabs.
            if (before.name !== 'queued') full();
          },
        });
        if (signal.aborted) return void stream.close();
        attempts = 0;
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
      await this.#recover(error, attempts++, signal);
    }
  }

  /** Shows what is wrong, and waits before the next attempt. */
  async #recover(error: MillraceError, attempts: number, signal: AbortSignal): Promise<void> {
    if (isRefusedValue(error) && this.#options.refused(error)) return;
    if (error.code === 'too_many_sessions') this.#options.full();
    if (error.code === 'unauthorized') {
      return this.#stay({ name: 'locked', shown: this.#options.token() !== undefined }, signal);
    }
    const state = await this.#describe(error, signal);
    if (signal.aborted) return;
    if (state.name === 'retrying' && !error.retryable) {
      return this.#stay({ name: 'failed', problem: state.problem }, signal);
    }
    this.state.value = state;
    const pause = Math.min(longestPauseMs, 1000 * 2 ** attempts);
    await this.#pause(state.name === 'preparing' ? preparingPauseMs : pause, signal);
  }

  /** Shows what is wrong until `open` is called again. */
  async #stay(state: LinkState, signal: AbortSignal): Promise<void> {
    this.state.value = state;
    await this.#pause(undefined, signal);
    if (!signal.aborted) this.state.value = { name: 'connecting' };
  }

  /** Returns the state to show: what the server is doing if it is not ready, or else what went wrong. */
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

  /** Waits until `timeMs` has passed, `open` is called again, or the link is closed. */
  async #pause(timeMs: number | undefined, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = timeMs === undefined ? undefined : setTimeout(done, timeMs);
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

  /** Shows the state of the stream until it ends, and closes it with the link. @returns why it ended. */
  async #untilClosed(stream: MillraceStream, signal: AbortSignal): Promise<MillraceError> {
    const { interrupted, reconnected, notice } = this.#options;
    const close = (): void => void stream.close();
    signal.addEventListener('abort', close);
    this.#stream = stream;
    let reconnecting = new AbortController();
    stream.on('error', (error) => notice(inWords(error)));
    stream.on('reconnecting', (error) => {
      reconnecting = new AbortController();
      this.state.value = { name: 'connecting' };
      interrupted();
      void this.#follow(error, reconnecting.signal);
    });
    stream.on('reconnected', () => {
      reconnecting.abort();
      this.state.value = { name: 'live' };
      reconnected(stream);
    });
    return new Promise((resolve) => {
      stream.on('close', ({ error = new MillraceError('closed') }) => {
        reconnecting.abort();
        signal.removeEventListener('abort', close);
        resolve(error);
      });
    });
  }

  /** Shows what is wrong while the stream reconnects, and makes it retry at once when the server is back. */
  async #follow(error: MillraceError, signal: AbortSignal): Promise<void> {
    let wasAway = false;
    while (!signal.aborted) {
      const state = await this.#describe(error, signal);
      if (signal.aborted) return;
      this.state.value = state;
      const answers = state.name === 'retrying' && state.answers;
      if (wasAway && answers) this.#stream?.retryNow();
      wasAway = !answers;
      await this.#pause(preparingPauseMs, signal);
    }
  }
}

/** Describes an error of a server that answers. */
function refusal(error: MillraceError): string {
  if (error.code === 'too_many_sessions') return 'The server is not accepting more streams at the moment.';
  // Here the client has asked the server for the reason, and its message has the answer.
  return error.code === 'connection_failed' ? error.message : inWords(error);
}
