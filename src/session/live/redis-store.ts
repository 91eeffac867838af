import { createHmac, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { asError } from '../../engine/as-error.js';
import { withinTime } from '../../engine/within-time.js';
import type { Metrics } from '../../metrics/metrics.js';
import { deriveKey } from '../access/secrets.js';
import { claimAnswers, claimScript, releaseScript, renewScript, spendScript } from './redis-scripts.js';
import type { Claim, SessionStore } from './session-store.js';

export interface RedisStoreOptions {
  /** `redis://` or, over TLS, `rediss://`; may contain user and password. Empty for no store. */
  readonly url: string;
  /** The secret of resume tokens: only servers that share it count users together. */
  readonly secret: string;
  readonly tokenLifeMs: number;
  /** Called when another server has a session of this one; again, until it is released. */
  readonly onLost: (id: string) => void;
  readonly metrics: Pick<Metrics, 'sessionStore'>;
  readonly log: Logger;
}

/** A session of this server. */
interface Held {
  /** Key of the sessions of its user. */
  readonly user: string;
  /** Tokens up to this one are spent. */
  spent: number;
  /** Whether the store has ever named this server as the owner; not if the store was down. */
  owned: boolean;
  /** How many times in a row another server was the owner. */
  losses: number;
}

/** Raise it with any change of the records: servers of both versions then leave those of the other alone. */
const prefix = 'millrace:1';
/** Longest that a client waits for the store. */
const claimMs = 200;
const renewEveryMs = 2000;
const renewalMs = 1000;
/** How long a user's place is kept for a server that no longer renews it. */
const placeMs = 10_000;
/** More tokens than a server issues before it learns that it lost the session; leaves 900 million moves. */
const counterStep = 2 ** 20;
/** The largest number that scripts read. */
const allTokens = 999_999_999_999_999;

/**
 * @returns null without a URL.
 * @throws {Error} if the options are invalid.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<RedisStore | null> {
  const { url, secret } = options;
  if (url === '') return null;
  checkUrl(url);
  if (secret === '') {
    throw new Error(
      'sessionStore needs resumeKey: without a common key, servers cannot resume sessions of others',
    );
  }
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    // A connection without answers is given up.
    socket: { connectTimeout: 5000, socketTimeout: 3 * renewEveryMs, reconnectStrategy },
  });
  return new RedisStore(client, options);
}

/** @throws {Error} that does not name the URL, which may contain a password. */
function checkUrl(text: string): void {
  const url = /^rediss?:\/\/./.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '')
    throw new Error('sessionStore must be a URL with a host that begins with redis:// or rediss://');
  if (!/^\/?\d*$/.test(url.pathname))
    throw new Error(
      `sessionStore: the database is a number, as in redis://HOST:6379/0, not "${url.pathname.slice(1)}"`,
    );
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new Error('sessionStore: a "%" in the user or the password is written as %25');
  }
}

/** Returns the milliseconds until the next attempt, with a random part: servers should not all come at once. */
function reconnectStrategy(retries: number): number {
  return Math.min(100 * 2 ** Math.min(retries, 6), 2000) + Math.random() * 200;
}

/** Says why a store cannot be reached, without its password. */
function reasonOf(error: Error & { readonly code?: string }, url: string): string {
  const { code = '', message } = error;
  const { hostname, host } = new URL(url);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `DNS has no address for ${hostname} (${code})`;
  if (code === 'ECONNREFUSED') return `nothing listens at ${host} (${code})`;
  if (/CERT|ISSUER|SIGNED/.test(code)) {
    return `its certificate is not trusted (${message}): NODE_EXTRA_CA_CERTS names further authorities`;
  }
  return message || code || error.name;
}

/** What is used of a client of `@redis/client`. */
interface Client {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  on(event: 'ready', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): unknown;
  connect(): Promise<unknown>;
  eval(script: string, options: { readonly keys: string[]; readonly arguments: string[] }): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): void;
}

/** Redis, or another server with its protocol and Lua, as the store of a fleet. */
class RedisStore implements SessionStore, AsyncDisposable {
  readonly #client: Client;
  readonly #options: RedisStoreOptions;
  readonly #userKey: Uint8Array;
  readonly #server = randomUUID();
  readonly #held = new Map<string, Held>();
  readonly #timer = setInterval(() => void this.#renewAll(), renewEveryMs).unref();
  /** Null before the first answer. */
  #up: boolean | null = null;
  #renewing = false;
  /** How many times in a row the store took longer to answer than clients wait. */
  #late = 0;
  #closed = false;

  constructor(client: Client, options: RedisStoreOptions) {
    this.#client = client;
    this.#options = options;
    this.#userKey = deriveKey(options.secret, 'millrace session store users');
    // Renewing an entry of its own shows that the store can be written, also when there are no sessions.
    this.#held.set(this.#server, this.#newlyHeld(this.#server));
  }

  /** Connects, and waits briefly until the store answers; if it does not, goes on trying. */
  async start(): Promise<void> {
    this.#client.on('error', (error) => this.#change(false, reasonOf(error, this.#options.url)));
    const first = new Promise<void>((resolve) => {
      this.#client.on('ready', () => void this.#renewAll().then(resolve));
    });
    // It is given up only when the store is closed.
    this.#client.connect().catch(() => {});
    await withinTime(first, renewalMs);
  }

  async claim({ id, subject, counter, most }: Claim): Promise<number | 'spent' | 'too_many'> {
    const held = this.#newlyHeld(subject);
    held.spent = Math.max(this.#held.get(id)?.spent ?? 0, counter - 1);
    const limit = Math.min(most, allTokens);
    const answer = this.#up
      ? await withinTime(this.#run(claimScript, [id, held], [counter, limit, counterStep]), claimMs)
      : null;
    if (answer === claimAnswers.spent) return 'spent';
    if (answer === claimAnswers.tooMany) return 'too_many';
    held.owned = answer !== null;
    this.#held.set(id, held);
    return answer ?? counter;
  }

  spend(id: string, counter: number): void {
    const held = this.#held.get(id);
    if (held === undefined || counter <= held.spent) return;
    held.spent = counter;
    if (this.#up) void this.#run(spendScript, [id, held], [counter]);
  }

  end(id: string): void {
    this.spend(id, allTokens);
  }

  release(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    if (this.#up) void this.#run(releaseScript, [id, held], []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    // What is still on its way may arrive.
    if (this.#client.isReady)
      await withinTime(
        this.#client.close().catch(() => {}),
        claimMs,
      );
    if (this.#client.isOpen) this.#client.destroy();
  }

  /** Renews what this server has, which also shows whether the store answers. */
  async #renewAll(): Promise<void> {
    if (this.#renewing || !this.#client.isReady) return;
    this.#renewing = true;
    const renewals = [...this.#held].map(([id, held]) => this.#renew(id, held));
    const all = Promise.all(renewals);
    // The first, of the entry of its own, is answered as soon as a claim would be. Once, this server may be slow itself.
    const first = await withinTime(Promise.race(renewals), claimMs);
    this.#late = first === null ? this.#late + 1 : 0;
    const answers = await withinTime(all, renewalMs);
    this.#renewing = false;
    if (answers === null) this.#change(false, `it did not answer within ${renewalMs} ms`);
    else if (this.#late > 1)
      this.#change(false, `it takes longer than the ${claimMs} ms that clients wait for it`);
    else if (answers.every((answered) => answered)) this.#change(true, '');
  }

  /** @returns whether the store answered. */
  async #renew(id: string, held: Held): Promise<boolean> {
    const answer = await this.#run(renewScript, [id, held], [held.spent]);
    if (answer === null) return false;
    if (answer === 1) {
      held.owned = true;
      held.losses = 0;
    } else if (held.owned && this.#held.get(id) === held) {
      held.losses += 1;
      // A client that moves (drain) leaves the former server by itself, a moment later.
      if (held.losses > 1) this.#options.onLost(id);
    }
    return true;
  }

  /** @returns null if the store does not do it. */
  async #run(
    script: string,
    [id, { user }]: readonly [string, Held],
    numbers: readonly number[],
  ): Promise<number | null> {
    const recordMs = this.#options.tokenLifeMs + placeMs;
    const values = [this.#server, id, placeMs, recordMs, ...numbers];
    try {
      const answer: unknown = await this.#client.eval(script, {
        keys: [`${prefix}:session:${id}`, user],
        arguments: values.map(String),
      });
      return typeof answer === 'number' ? answer : null;
    } catch (error) {
      this.#change(false, asError(error).message);
      return null;
    }
  }

  #newlyHeld(subject: string): Held {
    const name = createHmac('sha256', this.#userKey).update(subject).digest('base64url');
    return { user: `${prefix}:user:${name}`, spent: 0, owned: false, losses: 0 };
  }

  #change(up: boolean, reason: string): void {
    if (this.#closed || up === this.#up) return;
    this.#up = up;
    const { metrics, log } = this.#options;
    metrics.sessionStore(up);
    if (up) log.info('the session store answers: limits of users and resume tokens hold for the whole fleet');
    else
      log.warn({ reason }, 'the session store is down: until it answers, each server follows its own rules');
  }
}
