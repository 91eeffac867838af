import { defaultParameters, type ServerMessage, type StreamParameters } from '@millrace/protocol';
import type { Image } from '../../../src/image/image.js';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { stubStream } from '../../support/stub-stream.js';
import { EngineFeed } from '../../../src/session/frames/engine-feed.js';
import { FrameGate } from '../../../src/session/frames/frame-gate.js';
import { FrameLedger } from '../../../src/session/frames/frame-ledger.js';
import type { Pause } from '../../../src/session/time/pause-watch.js';
import { ClientClock } from '../../../src/session/wire/client-clock.js';
import type { Outlet } from '../../../src/session/wire/outlet.js';

/** A client's end of a connection, and everything that it got. */
export interface Client {
  readonly outlet: Outlet;
  readonly sent: ServerMessage[];
  readonly reports: unknown[];
}

export function createClient(): Client {
  const sent: ServerMessage[] = [];
  const reports: unknown[] = [];
  const outlet: Outlet = {
    clock: new ClientClock(),
    meter: createMetrics().beginSession(),
    send: (message) => void sent.push(message),
    report: (...what) => void reports.push(what),
  };
  return { outlet, sent, reports };
}

/** The parts between which a frame moves, for a stream in an engine that only records what it gets. */
export interface Parts {
  readonly ledger: FrameLedger;
  readonly feed: EngineFeed;
  readonly gate: FrameGate;
  /** What the stream got. */
  readonly pushed: { readonly id: number; readonly image: Image | null }[];
  /** Connects a client. */
  readonly connect: () => Client;
}

export function createParts(parameters: StreamParameters = defaultParameters(), credits = 8): Parts {
  const pauses: { last: Pause } = { last: { end: -Infinity, ms: 0 } };
  const pushed: { readonly id: number; readonly image: Image | null }[] = [];
  const ledger = new FrameLedger(credits);
  const feed = new EngineFeed(ledger);
  const gate = new FrameGate({ feed, pauses, unacknowledged: 2 });
  const stream = stubStream({ push: (id, { image }) => void pushed.push({ id, image }) });
  feed.attach(stream, parameters);
  const connect = (): Client => {
    const client = createClient();
    ledger.connect(client.outlet);
    gate.connect();
    return client;
  };
  return { ledger, feed, gate, pushed, connect };
}
