import { errors, type ErrorCode, type SessionRow } from '@millrace/protocol';
import type { Census } from '../../metrics/metrics.js';
import type { Grant } from '../access/grant.js';
import type { Wire } from '../wire/wire.js';
import type { ConnectionContext } from './context.js';
import type { Pacing } from '../live/pacing.js';
import { ClientConnection } from './client-connection.js';
import { summarize, summarizeParked } from './summary.js';
import { WatchedWire } from '../wire/watched-wire.js';

/** Connections allowed besides those served or waiting: they say hello, or take over sessions. */
const spareConnections = 64;

/** How often engine time is divided among sessions, in milliseconds. */
const shareOutMs = 1000;

/** Period over which images (txt2img) count as one more stream, in milliseconds. */
const imagesMs = 2000;

/** All connections of one server. */
export class Connections {
  readonly #context: ConnectionContext;
  readonly #open = new Map<ClientConnection, WatchedWire>();
  #closing = false;
  /** When clients were asked to go elsewhere, by `performance.now()`; null before. */
  #drainBegun: number | null = null;
  #drained: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;
  readonly #shareOutTimer = setInterval(() => this.#shareOutSafely(), shareOutMs).unref();

  constructor(context: ConnectionContext) {
    this.#context = context;
  }

  /** Whether the server refuses new sessions because it is going to stop. */
  get draining(): boolean {
    return this.#closing;
  }

  /** Why a new connection would be refused now; null if it might be served. */
  get refusal(): Extract<ErrorCode, 'shutting_down' | 'too_many_sessions'> | null {
    if (this.#closing) return 'shutting_down';
    const { admission, sessions } = this.#context;
    // The new client may be one that lost its connection.
    if (admission.full && sessions.parked === 0) return 'too_many_sessions';
    const most = admission.served + admission.waiting + spareConnections;
    return this.#open.size < most ? null : 'too_many_sessions';
  }

  /** Seconds after which a refused client may try again. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil(this.#context.admission.wait));
  }

  /**
   * Adds a connection. Pass messages to its `receive`; when it has closed, call `leave`.
   * @param grant of the token that came with the connection; null if none did.
   * @returns null if it is refused; the connection is then being closed, and the client gets the reason.
   */
  enter(wire: Wire, grant: Grant | null = null): ClientConnection | null {
    const { refusal } = this;
    if (refusal) {
      this.#context.metrics.error(refusal);
      this.#context.metrics.sessionRefused();
      wire.send({ type: 'error', code: refusal, message: errors[refusal].meaning });
      wire.close(errors[refusal].close, refusal);
      return null;
    }
    const watched = new WatchedWire(wire, this.#context.keepPictures);
    const connection = new ClientConnection(watched, this.#context, grant);
    this.#open.set(connection, watched);
    return connection;
  }

  /** @param code of the close frame, as in RFC 6455 section 7.4; 1006 without one. */
  leave(connection: ClientConnection, code: number): void {
    this.#open.delete(connection);
    connection.disconnected(code);
    if (this.#drainBegun !== null) this.#context.metrics.drained(performance.now() - this.#drainBegun);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  /** Ids of the sessions whose parameters can be changed now. */
  get active(): readonly string[] {
    return this.#active().map(({ id }) => id);
  }

  /** Returns the current numbers. */
  census(): Census {
    const { admission, sessions: all } = this.#context;
    const queued = admission.waiting;
    const sessions = { opening: -queued, queued, active: 0, parked: all.parked, closing: 0 };
    let bufferedBytes = 0;
    for (const [connection, wire] of this.#open) {
      if (connection.state !== 'closed') sessions[connection.state] += 1;
      bufferedBytes += wire.bufferedBytes;
    }
    const limited = this.#paced().filter(({ limit }) => limit !== null).length;
    return { sessions, slots: admission.slots, limited, queued, bufferedBytes, draining: this.#closing };
  }

  /**
   * Changes parameters of a session in the place of its client.
   * @returns whether there is an active session with this id.
   * @throws {ParameterError | ProtocolError} if a value is invalid, or the session may not have it.
   */
  async steer(parameters: unknown, id: string): Promise<boolean> {
    const update = this.#context.rules.check(parameters);
    const connection = this.#active().find((one) => one.id === id);
    await connection?.steer(update);
    return connection !== undefined;
  }

  /** Returns what an operator sees of the sessions: the oldest first, parked ones last. */
  summaries(most: number): readonly SessionRow[] {
    const { sessions } = this.#context;
    const connected = [...this.#open]
      .slice(0, most)
      .map(([connection, wire]) => summarize(connection, wire, sessions.find(connection.id)));
    const parked = [...sessions.away()].slice(0, most - connected.length).map(summarizeParked);
    return [...connected, ...parked];
  }

  /** Returns the last result of a session, a JPEG; null if none is kept. */
  picture(id: string): Uint8Array | null {
    for (const [connection, wire] of this.#open) if (connection.id === id) return wire.picture;
    return null;
  }

  /** Ends a session for good. @returns false if there is no such session. */
  end(id: string): boolean {
    for (const connection of this.#open.keys()) {
      if (connection.id !== id) continue;
      connection.close('session_ended');
      return true;
    }
    const { sessions } = this.#context;
    const parked = sessions.find(id);
    if (parked) sessions.end(parked);
    return parked !== undefined;
  }

  /**
   * Refuses new sessions, asks all clients to go elsewhere, waits until they have left or the time is up, and ends the
   * remaining sessions. May be called twice: the first call counts.
   * @param ms how long it waits.
   */
  drain(ms: number): Promise<void> {
    this.#drained ??= this.#drain(ms);
    return this.#drained;
  }

  async #drain(ms: number): Promise<void> {
    this.#closing = true;
    if (ms > 0 && this.#open.size > 0) await this.#untilEmpty(ms);
    this.close();
  }

  /** Waits until no connection is left, or the time is up. */
  async #untilEmpty(ms: number): Promise<void> {
    this.#drainBegun = performance.now();
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    for (const connection of this.#open.keys()) void connection.drain(ms / 1000);
    await Promise.race([empty, timeUp]);
    clearTimeout(timer);
  }

  #shareOutSafely(): void {
    try {
      this.#shareOut();
    } catch (error) {
      this.#context.log.error({ err: error }, 'engine time could not be divided among sessions');
    }
  }

  /** Limits sessions to what the engine has time for, if that is less than the SLO. */
  #shareOut(): void {
    const paced = this.#paced();
    const flowing = paced.filter((pacing) => pacing.flows);
    const { capacity, recentImages, turns } = this.#context;
    const shares = capacity.share(
      flowing.map(({ parameters }) => parameters),
      {
        decodeMs: flowing.map(({ decodeMs }) => decodeMs),
        decoders: turns.atOnce,
        images: recentImages(imagesMs),
        imagesMs,
      },
    );
    const limits = new Map(flowing.map((pacing, i) => [pacing, shares[i]]));
    for (const pacing of paced) pacing.share(limits.get(pacing) ?? null);
  }

  #active(): readonly ClientConnection[] {
    return [...this.#open.keys()].filter(({ state }) => state === 'active');
  }

  #paced(): readonly Pacing[] {
    return [...this.#open.keys()].flatMap(({ pacing }) => pacing ?? []);
  }

  /** Closes all connections because the server stops, and refuses new ones. May be called twice. */
  close(): void {
    this.#closing = true;
    clearInterval(this.#shareOutTimer);
    for (const connection of this.#open.keys()) connection.close('shutting_down');
    this.#context.sessions.close();
  }
}
