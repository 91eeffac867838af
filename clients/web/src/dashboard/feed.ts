import { signal, type ReadonlySignal } from '@preact/signals';
import type { History, Overview } from '@millrace/protocol';
import { extended } from './history.js';

/** Milliseconds between questions to the server. */
const interval = 2000;
/** How much of the past is shown. */
export const spanMs = 15 * 60_000;
const tokenKey = 'millrace-dashboard-token';

/** Why there is nothing new to see. */
export type Problem = 'unauthorized' | 'forbidden' | 'unreachable';

/** Asks the server again and again, and keeps what it said. */
export class Feed {
  readonly #overview = signal<Overview | undefined>();
  readonly #history = signal<History>({ times: [], series: {} });
  readonly #problem = signal<Problem | undefined>();
  #token = sessionStorage.getItem(tokenKey) ?? '';
  #timer: number | undefined;

  get overview(): ReadonlySignal<Overview | undefined> {
    return this.#overview;
  }

  get history(): ReadonlySignal<History> {
    return this.#history;
  }

  get problem(): ReadonlySignal<Problem | undefined> {
    return this.#problem;
  }

  /** Asks from now on; at once, too, when the page comes back into view. */
  start(): void {
    document.addEventListener('visibilitychange', () => void this.ask());
    void this.ask();
  }

  /** Goes on with another token, which is kept as long as this tab lives. */
  async signIn(token: string): Promise<void> {
    this.#token = token;
    sessionStorage.setItem(tokenKey, token);
    await this.ask();
  }

  async ask(): Promise<void> {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const after = this.#history.peek().times.at(-1) ?? 0;
    try {
      const response = await this.request(`/v1/admin/overview?after=${after}`);
      if (response.ok) this.#show((await response.json()) as Overview, after);
      this.#problem.value = problemOf(response.status);
    } catch {
      this.#problem.value = 'unreachable';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), interval);
  }

  /** Tells the server to send everybody elsewhere. @returns whether it does. */
  async drain(): Promise<boolean> {
    const response = await this.request('/v1/admin/drain', 'POST');
    void this.ask();
    return response.ok;
  }

  async request(path: string, method = 'GET'): Promise<Response> {
    const headers: Record<string, string> =
      this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
    return fetch(path, { method, headers, cache: 'no-store' });
  }

  #show(overview: Overview, after: number): void {
    this.#overview.value = overview;
    const known = this.#history.peek();
    // Two questions may have been under way at once.
    if ((known.times.at(-1) ?? 0) !== after) return;
    this.#history.value = extended(known, overview.history, overview.time - spanMs);
  }
}

function problemOf(status: number): Problem | undefined {
  if (status < 400) return undefined;
  if (status === 401) return 'unauthorized';
  return status === 403 ? 'forbidden' : 'unreachable';
}
