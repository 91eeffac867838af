import { listFiles, modelInfo, type ListFileEntry } from '@huggingface/hub';
import type { HubId } from './hub-id.js';
import type { HubSettings } from './hub-settings.js';
import { persist, type Persistence } from './persist.js';
import { causeOf, PullError, TransientError } from './pull-error.js';
import { refusal } from './refusal.js';

/** Attempts per request: half a minute in all, with waits that double from 1 s on. */
const maxTries = 6;

/** One file of a model as the hub lists it. */
export interface HubFile {
  /** Path in the repository, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hash of its content, which names the file in the cache. */
  readonly checksum: { readonly algorithm: 'sha256' | 'git-sha1'; readonly hex: string };
}

/** The content of a file, from a given byte on. */
export interface Content {
  /** The first byte: the requested one, or 0 if the server sends only whole files. */
  readonly start: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Requests one version of a model from the hub; retries after time-outs, busy servers and lost connections. */
export class HubClient {
  readonly id: HubId;
  readonly #settings: HubSettings;
  readonly #persistence: Omit<Persistence, 'tries'>;

  constructor(
    id: HubId,
    settings: HubSettings,
    options: { readonly signal: AbortSignal; onRetry(reason: string, wait: number): void },
  ) {
    this.id = id;
    this.#settings = settings;
    this.#persistence = { delay: settings.retryDelay, ...options };
  }

  /** Returns the commit of the revision. @param retry whether to try more than once. */
  async commit(retry: boolean): Promise<string> {
    const { repo: name, revision } = this.id;
    const { sha } = await this.#ask(retry ? maxTries : 1, (fetch) =>
      modelInfo({ name, revision, hubUrl: this.#settings.endpoint, additionalFields: ['sha'], fetch }),
    );
    if (typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha)) return sha;
    throw new PullError(`${this.#host} returns no commit for ${name}; is HF_ENDPOINT the address of a hub?`);
  }

  /** Lists all files of a commit. */
  async files(commit: string): Promise<readonly HubFile[]> {
    const { repo } = this.id;
    const list = await this.#ask(maxTries, async (fetch) => {
      const entries = [];
      const where = { repo, revision: commit, recursive: true, hubUrl: this.#settings.endpoint, fetch };
      for await (const entry of listFiles(where)) entries.push(entry);
      return entries;
    });
    return list.filter(({ type }) => type === 'file').map(toFile);
  }

  /** Repeats an attempt until it succeeds or the attempts are used up. @throws {PullError} */
  persist<T>(attempt: () => Promise<T>): Promise<T> {
    return persist(attempt, { ...this.#persistence, tries: maxTries });
  }

  /**
   * Opens a file of a commit at a byte.
   * @throws {TransientError | PullError} here and while its chunks are read.
   */
  async open(commit: string, path: string, start: number): Promise<Content> {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const url = `${this.#settings.endpoint}/${this.id.repo}/resolve/${commit}/${encoded}`;
    const watchdog = new Watchdog(this.#settings.timeout, this.#persistence.signal);
    // Compression in transit would change the byte offsets.
    const headers = { 'Accept-Encoding': 'identity', ...(start > 0 && { Range: `bytes=${start}-` }) };
    const response = await this.#request(url, { headers }, watchdog);
    const [, first] = /^bytes (\d+)-/.exec(response.headers.get('Content-Range') ?? '') ?? [];
    const resumed = response.status === 206 && Number(first) === start;
    return { start: resumed ? start : 0, chunks: this.#chunks(response, watchdog) };
  }

  get #host(): string {
    return new URL(this.#settings.endpoint).host;
  }

  /** Calls the library, and makes its requests here. */
  #ask<T>(tries: number, call: (fetch: typeof globalThis.fetch) => Promise<T>): Promise<T> {
    const fetch = async (input: Parameters<typeof globalThis.fetch>[0], init: RequestInit = {}) => {
      const watchdog = new Watchdog(this.#settings.timeout, this.#persistence.signal);
      const response = await this.#request(input instanceof Request ? input.url : input, init, watchdog);
      const parts: Uint8Array[] = [];
      for await (const chunk of this.#chunks(response, watchdog)) parts.push(chunk);
      return new Response(Buffer.concat(parts), response);
    };
    const attempt = async (): Promise<T> => {
      try {
        return await call(fetch);
      } catch (cause) {
        if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
        throw new PullError(`${this.#host} does not answer as a hub does; check HF_ENDPOINT`, { cause });
      }
    };
    return persist(attempt, { ...this.#persistence, tries });
  }

  async #request(url: string | URL, init: RequestInit, watchdog: Watchdog): Promise<Response> {
    const { endpoint, token } = this.#settings;
    const headers = new Headers(init.headers);
    headers.set('User-Agent', 'millrace');
    // Only the hub itself gets the token; fetch removes it on redirects to other origins.
    if (token && new URL(url).origin === new URL(endpoint).origin) {
      headers.set('Authorization', `Bearer ${token.value}`);
    }
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers, signal: watchdog.signal });
    } catch (cause) {
      watchdog.stop();
      throw this.#interruption(cause, 'cannot be reached');
    }
    if (response.ok) return response;
    watchdog.stop();
    await response.body?.cancel();
    throw refusal(response, this.id, this.#settings);
  }

  async *#chunks(response: Response, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        watchdog.touch();
        yield chunk as Uint8Array;
      }
    } catch (cause) {
      throw this.#interruption(cause, 'closed the connection early');
    } finally {
      watchdog.stop();
    }
  }

  #interruption(cause: unknown, what: string): Error {
    this.#persistence.signal.throwIfAborted();
    if (cause instanceof Error && cause.name === 'TimeoutError') {
      return new TransientError(`${this.#host} was silent for ${this.#settings.timeout / 1000} s`, { cause });
    }
    return new TransientError(`${this.#host} ${what} (${causeOf(cause)})`, { cause });
  }
}

function toFile({ path, size, oid, lfs }: ListFileEntry): HubFile {
  const [algorithm, hex] = lfs ? (['sha256', lfs.oid] as const) : (['git-sha1', oid ?? ''] as const);
  // The checksum becomes a file name.
  if (!/^[0-9a-f]{40,64}$/.test(hex)) throw new PullError(`the hub returns no checksum for ${path}`);
  return { path, size: lfs?.size ?? size, checksum: { algorithm, hex } };
}

/** Aborts a request after a time without any data. */
class Watchdog {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(timeout: number, signal: AbortSignal) {
    const controller = new AbortController();
    this.signal = AbortSignal.any([signal, controller.signal]);
    this.#timer = setTimeout(() => controller.abort(new DOMException('silence', 'TimeoutError')), timeout);
  }

  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
