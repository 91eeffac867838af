import type { ParameterName, ParameterSchema } from '@millrace/protocol';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import { ParameterError } from '../engine/engine.js';
import { TokenBucket } from '../session/time/token-bucket.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import { isLoopback } from './origin.js';
import { oscRoot, readSteering } from './osc-address.js';
import { OscError, readPacket, writeMessage, type OscMessage } from './osc-packet.js';
import { createQueryServer } from './osc-query.js';

export interface OscServerOptions {
  /** All parameters of the model. */
  readonly schemas: Readonly<Record<ParameterName, ParameterSchema>>;
  /** Returns the ids of the sessions that can be changed now. */
  readonly sessions: () => readonly string[];
  /**
   * Changes parameters of a session.
   * @returns whether there is one with this id. @throws {ParameterError | ProtocolError} why it refuses.
   */
  readonly steer: (update: object, session: string) => Promise<boolean>;
  readonly log: Logger;
}

const openToOthers =
  'OSC has no passwords: whoever reaches the port can change the parameters of all sessions';

/** Lines in the log about packets that cannot be used, each second, and at once. */
const logsPerSecond = 0.2;
const logsAtOnce = 5;
/** Answers to requests for help each second, and at once: people ask, and a forged sender should get few. */
const answersPerSecond = 10;
/** Sessions with waiting changes; a message may name one that does not exist. */
const maxTargets = 1000;

/**
 * Listens for Open Sound Control over UDP: messages change parameters of sessions. What arrives while a session is being
 * changed is one change of it afterwards, with the newest values, so that a fader never gets ahead of the engine, and a
 * slow session delays no other.
 */
export class OscServer implements AsyncDisposable {
  readonly #options: OscServerOptions;
  readonly #logs = new TokenBucket(logsPerSecond, logsAtOnce);
  readonly #answers = new TokenBucket(answersPerSecond);
  /** Changes by session. */
  readonly #waiting = new Map<string, object>();
  /** Sessions that are being changed. */
  readonly #busy = new Set<string>();
  #socket: Socket | null = null;
  #query: Server | null = null;
  #refused = 0;

  constructor(options: OscServerOptions) {
    this.#options = options;
  }

  /** How many packets and messages could not be used. */
  get refused(): number {
    return this.#refused;
  }

  /** @throws {Error} (as rejection) that names the setting to change. */
  async listen(host: string, port: number): Promise<void> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket = socket;
    this.#query = createQueryServer(this.#options.schemas, () => port);
    try {
      socket.bind(port, host);
      await once(socket, 'listening');
      this.#query.listen(port, host);
      await once(this.#query, 'listening');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const advice =
        'choose another port with --osc-port, or another address of this machine with --osc-host';
      throw new Error(`OSC cannot listen on ${host}, port ${port} (${code}); ${advice}`, { cause: error });
    }
    if (!isLoopback(host)) this.#options.log.warn({ host }, openToOthers);
    socket.on('message', (packet, sender) => this.#receive(packet, sender));
    socket.on('error', (error) => this.#refuse(error));
    this.#query.on('error', (error) => this.#refuse(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting.clear();
    this.#query?.close();
    this.#query?.closeAllConnections();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) await new Promise<void>((resolve) => socket.close(resolve));
  }

  #receive(packet: Buffer, sender: RemoteInfo): void {
    try {
      for (const message of readPacket(packet)) this.#read(message, sender);
    } catch (error) {
      this.#refuse(error);
    }
    for (const session of this.#waiting.keys()) void this.#work(session);
  }

  /** Takes note of what a message asks for; one that cannot be used does not stop the rest of its bundle. */
  #read(message: OscMessage, sender: RemoteInfo): void {
    try {
      if (message.address === `/${oscRoot}/help`) return this.#help(sender, message);
      const { session, update } = readSteering(message);
      for (const target of session === null ? this.#options.sessions() : [session]) this.#put(target, update);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #put(session: string, update: object): void {
    const waiting = this.#waiting.get(session);
    if (!waiting && this.#waiting.size >= maxTargets) {
      throw new OscError('too many sessions are addressed at the same time');
    }
    this.#waiting.set(session, { ...waiting, ...update });
  }

  /** Applies what waits for a session, until nothing does. */
  async #work(session: string): Promise<void> {
    if (this.#busy.has(session)) return;
    this.#busy.add(session);
    for (let update = this.#waiting.get(session); update; update = this.#waiting.get(session)) {
      this.#waiting.delete(session);
      try {
        const isKnown = await this.#options.steer(update, session);
        if (!isKnown) throw new OscError(`there is no session ${session.slice(0, 64)}`);
      } catch (error) {
        this.#refuse(error);
        this.#keepOthers(session, update, error);
      }
    }
    this.#busy.delete(session);
  }

  /** Lets the other values of a change wait again if one of them was refused: they came in other messages. */
  #keepOthers(session: string, update: object, error: unknown): void {
    if (!(error instanceof ParameterError) || !Object.hasOwn(update, error.field)) return;
    const others = Object.entries(update).filter(([name]) => name !== error.field);
    if (others.length === 0) return;
    this.#waiting.set(session, { ...Object.fromEntries(others), ...this.#waiting.get(session) });
  }

  /**
   * Says where every address is described. The answer is short and rare, and an answer gets none: if the sender is
   * forged, two servers would answer each other without an end.
   */
  #help({ address, port }: RemoteInfo, { values }: OscMessage): void {
    const query = this.#query?.address();
    if (typeof query !== 'object' || query === null) return;
    if (values.some((value) => typeof value === 'string'))
      throw new OscError(`/${oscRoot}/help takes no text`);
    if (!this.#answers.take()) throw new OscError('help is asked for too often');
    const where = `http://HOST:${query.port}/ describes every address (OSCQuery)`;
    this.#socket?.send(writeMessage(`/${oscRoot}/help`, [where]), port, address, (error) => {
      if (error) this.#refuse(error);
    });
  }

  #refuse(error: unknown): void {
    this.#refused += 1;
    if (!this.#logs.take()) return;
    const isExpected =
      error instanceof OscError || error instanceof ParameterError || error instanceof ProtocolError;
    const reason = error instanceof Error ? error.message : String(error);
    const details = isExpected ? {} : { err: error };
    this.#options.log.warn({ refused: this.#refused, ...details }, `OSC: ${reason}`);
  }
}
