import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage } from '@millrace/protocol';
import type { ClientMessage, ServerMessage } from '@millrace/protocol';
import { pino } from 'pino';
import type { Engine } from '../../src/engine/engine.js';
import { pictureCodec } from '../../src/image/codec.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { createParameterRules } from '../../src/session/wire/parameters.js';
import type { Access } from '../../src/session/access/access.js';
import { anonymous } from '../../src/session/access/grant.js';
import { Admission } from '../../src/session/admission/admission.js';
import { PictureTurns } from '../../src/session/frames/picture-turns.js';
import type { SessionContext, SessionLimits } from '../../src/session/seats/context.js';
import { createResumeTokens } from '../../src/session/seats/resume-token.js';
import { Seats } from '../../src/session/seats/seats.js';
import { Session } from '../../src/session/session.js';
import { ManualEngine, type ManualStream } from './manual-engine.js';

const limits: SessionLimits = {
  credits: 2,
  unacknowledgedResults: 2,
  framePixels: 1_000_000,
  helloTimeout: 60_000,
  idleTimeout: 0,
  checkpointInterval: 60_000,
  messageBytes: 1_000_000,
  updatesPerSecond: 1000,
  bufferedBytes: 1_000_000,
};

const openToAll: Access = { required: false, verify: () => Promise.resolve(anonymous) };

/** What sessions share, around an engine. */
export function sessionContext(
  engine: Engine,
  ownLimits: Partial<SessionLimits> = {},
  changes: Partial<SessionContext> = {},
): SessionContext {
  return {
    engine,
    model: 'manual',
    server: 'test/1',
    rules: createParameterRules({ defaults: { width: 64, height: 64 } }),
    limits: { ...limits, ...ownLimits },
    access: openToAll,
    admission: new Admission({ capacity: () => 4, queueLength: 2, queueTimeout: 60_000 }),
    capacity: { share: (streams) => streams.map(() => null), basis: '--max-sessions 4' },
    seats: new Seats(60_000, 60_000),
    tokens: createResumeTokens({ secret: '', lifetimeMs: 60_000, maxLength: 1_000_000 }),
    metrics: createMetrics(),
    pictures: pictureCodec,
    turns: new PictureTurns(1),
    recentImages: () => [],
    pauses: { last: { end: -Infinity, ms: 0 } },
    keepPictures: false,
    log: pino({ level: 'silent' }),
    ...changes,
  };
}

/** A session between a connection and an engine that are both in the hands of the test. */
export class Rig {
  readonly engine = new ManualEngine();
  readonly sent: ServerMessage[] = [];
  readonly connection = {
    bufferedBytes: 0,
    closed: null as { readonly code: number; readonly reason: string } | null,
    send: (message: ServerMessage) => this.sent.push(message),
    close(code: number, reason: string) {
      this.closed ??= { code, reason };
    },
  };
  readonly context: SessionContext;
  readonly session: Session;

  constructor(ownLimits: Partial<SessionLimits> = {}, changes: Partial<SessionContext> = {}) {
    this.context = sessionContext(this.engine, ownLimits, changes);
    this.session = new Session(this.connection, this.context);
  }

  /** A rig whose session is active. */
  static async active(
    ownLimits: Partial<SessionLimits> = {},
    changes: Partial<SessionContext> = {},
  ): Promise<Rig> {
    const rig = new Rig(ownLimits, changes);
    rig.send({ type: 'hello' });
    await rig.until(() => rig.session.state === 'active');
    return rig;
  }

  get stream(): ManualStream {
    const stream = this.engine.streams.at(-1);
    assert.ok(stream);
    return stream;
  }

  /** The highest sequence that was acknowledged. */
  acknowledged = 0;

  send(message: ClientMessage): void {
    if (message.type === 'ack') this.acknowledged = Math.max(this.acknowledged, message.sequence);
    this.session.receive(encodeMessage(message));
  }

  frame(id: number, data: Uint8Array = picture): void {
    this.send({ type: 'frame', id, captured: id * 10, data });
  }

  /** Sends a frame, and lets it go through the engine; what becomes of the result is not waited for. */
  async generate(id: number): Promise<void> {
    this.frame(id);
    await this.until(() => this.stream.waiting?.frame === id);
    this.stream.admit();
    this.stream.finish();
  }

  all<Type extends ServerMessage['type']>(type: Type): Extract<ServerMessage, { type: Type }>[] {
    return this.sent.filter((message) => message.type === type) as Extract<ServerMessage, { type: Type }>[];
  }

  /** Ids of dropped frames with their reasons. */
  get drops(): readonly string[] {
    return this.all('dropped').map(({ id, reason }) => `${id} ${reason}`);
  }

  async until(condition: () => boolean): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      assert.ok(turns < 1_000_000, 'it never came to pass');
      await turn();
    }
  }

  /** Gives the session time to do what it should not do: several times what it would need. */
  async settled(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await encodeJpeg(grey, 90);
      await turn();
    }
  }
}

const grey = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(100) };

/** A JPEG of the size that the streams have. */
export const picture: Uint8Array = await encodeJpeg(grey, 90);
