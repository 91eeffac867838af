import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage } from '@millrace/protocol';
import type { ClientMessage, FrameMessage, ServerMessage } from '@millrace/protocol';
import { pino } from 'pino';
import type { Engine } from '../../src/engine/engine.js';
import { pictureCodec } from '../../src/image/codec.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { createParameterRules } from '../../src/session/live/parameter-rules.js';
import type { Access } from '../../src/session/access/access.js';
import { anonymous } from '../../src/session/access/grant.js';
import { createSessionKeys } from '../../src/session/access/session-keys.js';
import { Admission } from '../../src/session/admission/admission.js';
import { PictureTurns } from '../../src/session/frames/picture-turns.js';
import type { ConnectionContext, SessionLimits } from '../../src/session/connection/context.js';
import { Audiences } from '../../src/session/live/audience.js';
import { createResumeTokens } from '../../src/session/live/resume-token.js';
import { Sessions } from '../../src/session/live/sessions.js';
import { StyleImages } from '../../src/session/live/style-images.js';
import { ClientConnection } from '../../src/session/connection/client-connection.js';
import { ManualEngine, type ManualStream } from './manual-engine.js';

const limits: SessionLimits = {
  credits: 2,
  unacknowledgedResults: 2,
  framePixels: 1_000_000,
  helloTimeoutMs: 60_000,
  idleTimeoutMs: 0,
  checkpointIntervalMs: 60_000,
  messageBytes: 1_000_000,
  updatesPerSecond: 1000,
  bufferedBytes: 1_000_000,
};

const openToAll: Access = { required: false, verify: () => Promise.resolve(anonymous) };

/** Returns what sessions share, with this engine. */
export function sessionContext(
  engine: Engine,
  ownLimits: Partial<SessionLimits> = {},
  changes: Partial<ConnectionContext> = {},
): ConnectionContext {
  const turns = new PictureTurns(1);
  const metrics = createMetrics();
  return {
    engine,
    model: 'manual',
    server: 'test/1',
    rules: createParameterRules({ defaults: { width: 64, height: 64 } }),
    limits: { ...limits, ...ownLimits },
    access: openToAll,
    admission: new Admission({ slots: () => 4, queueLength: 2, queueTimeoutMs: 60_000 }),
    capacity: { share: (streams) => streams.map(() => null), basis: '--max-sessions 4', checkCall: () => {} },
    sessions: new Sessions(60_000, 60_000),
    tokens: createResumeTokens({ secret: '', lifetimeMs: 60_000, maxLength: 1_000_000 }),
    keys: createSessionKeys({ secret: '' }),
    audiences: new Audiences({ perSession: 4, perServer: 4 }, metrics),
    metrics,
    pictures: pictureCodec,
    turns,
    styleImages: new StyleImages({
      pictures: pictureCodec,
      turns,
      maxPixels: limits.framePixels,
      side: null,
    }),
    recentImages: () => [],
    pauses: { last: { end: -Infinity, ms: 0 } },
    keepPictures: false,
    log: pino({ level: 'silent' }),
    ...changes,
  };
}

/** A client's connection between a wire and an engine, both controlled by the test. */
export class Rig {
  readonly engine = new ManualEngine();
  readonly sent: ServerMessage[] = [];
  readonly wire = {
    bufferedBytes: 0,
    closed: null as { readonly code: number; readonly reason: string } | null,
    send: (message: ServerMessage) => this.sent.push(message),
    close(code: number, reason: string) {
      this.closed ??= { code, reason };
    },
  };
  readonly context: ConnectionContext;
  readonly connection: ClientConnection;

  constructor(ownLimits: Partial<SessionLimits> = {}, changes: Partial<ConnectionContext> = {}) {
    this.context = sessionContext(this.engine, ownLimits, changes);
    this.connection = new ClientConnection(this.wire, this.context);
  }

  /** Returns a rig whose session is active. */
  static async active(
    ownLimits: Partial<SessionLimits> = {},
    changes: Partial<ConnectionContext> = {},
  ): Promise<Rig> {
    const rig = new Rig(ownLimits, changes);
    rig.send({ type: 'hello' });
    await rig.until(() => rig.connection.state === 'active');
    return rig;
  }

  get stream(): ManualStream {
    const stream = this.engine.streams.at(-1);
    assert.ok(stream);
    return stream;
  }

  /** The highest acknowledged sequence. */
  acknowledged = 0;

  send(message: ClientMessage): void {
    if (message.type === 'ack') this.acknowledged = Math.max(this.acknowledged, message.sequence);
    this.connection.receive(encodeMessage(message));
  }

  frame(id: number, data: Uint8Array = picture, controls?: FrameMessage['controls']): void {
    this.send({ type: 'frame', id, captured: id * 10, data, ...(controls && { controls }) });
  }

  /** Sends a frame and passes it through the engine; does not wait for the result. */
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
      assert.ok(turns < 1_000_000, 'the condition was never met');
      await turn();
    }
  }

  /** Waits several times as long as the session would need for something that it should not do. */
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
