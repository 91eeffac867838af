import { signal, type ReadonlySignal } from '@preact/signals';
import type { History, Overview } from '@millrace/protocol';
import { extended } from './history.js';

const requestIntervalMs = 2000;
/** The time span of the charts. */
export const spanMs = 15 * 60_000;
const tokenKey = 'millrace-dashboard-token';

/** Why there is no new data. */
export type Problem = 'unauthorized' | 'forbidden' | 'unreachable';

/** Requests the overview from the server repeatedly, and keeps its answers. */
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

  /** Starts the requests; one is made at once whenever the page becomes visible again. */
  start(): void {
    document.addEventListener('visibilitychange', () => void this.ask());
    void this.ask();
  }

  /** Continues with another token, which is kept until the tab is closed. */
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
      const response = await this.request(`v1/admin/overview?after=${after}`);
      if (response.ok) this.#show((await response.json()) as Overview, after);
      this.#problem.value = problemOf(response.status);
    } catch {
      this.#problem.value = 'unreachable';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), requestIntervalMs);
  }

  /** Asks the server to drain. @returns whether it accepted. */
  async drain(): Promise<boolean> {
    const response = await this.request('v1/admin/drain', 'POST');
    void this.ask();
    return response.ok;
  }

  /** Asks the server to end a session. @returns whether it did. */
  async end(session: string): Promise<boolean> {
    const response = await this.request(`v1/admin/sessions/${encodeURIComponent(session)}`, 'DELETE');
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
    // Another request may have been answered in the meantime.
    if ((known.times.at(-1) ?? 0) !== after) return;
    this.#history.value = extended(known, overview.history, overview.time - spanMs);
  }
}

function problemOf(status: number): Problem | undefined {
  if (status < 400) return undefined;
  if (status === 401) return 'unauthorized';
  return status === 403 ? 'forbidden' : 'unreachable';
}
