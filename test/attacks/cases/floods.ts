import { encodeMessage, type ClientMessage } from '@millrace/protocol';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Mutator } from '../../faults/mutator.js';
import { rawFrame } from '../../faults/raw-peer.js';
import type { Attack, AttackCase, Target } from '../attack.js';
import { persistAll } from '../clients/persist.js';
import { flood, openRawStream } from '../clients/raw-stream.js';

/** Bytes per write. */
const chunkBytes = 64 * 1024;

/** Fills a chunk with messages; it is made once, so that sending costs the attacker almost nothing. */
function chunkOf(next: (index: number) => Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let bytes = 0, index = 0; bytes < chunkBytes; index++) {
    const part = next(index);
    parts.push(part);
    bytes += part.length;
  }
  return Buffer.concat(parts);
}

const message = (content: ClientMessage): Uint8Array =>
  rawFrame({ opcode: 2, payload: encodeMessage(content) });
const mutator = new Mutator(16);

/** The kinds of messages that flood connections. */
const messages = {
  pings: (i) => message({ type: 'ping', sent: i }),
  acks: () => message({ type: 'ack', sequence: 0 }),
  updates: (i) => message({ type: 'update', request: i, parameters: { prompt: `a fox, number ${i}` } }),
  refused: (i) => message({ type: 'update', request: i, parameters: { width: 1 } }),
  garbage: () => rawFrame({ opcode: 2, payload: mutator.next() }),
  frames: (i) => message({ type: 'frame', id: i, captured: i, data: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) }),
  unknown: () => message({ type: 'nonsense' } as unknown as ClientMessage),
  control: () => rawFrame({ opcode: 9, payload: Buffer.alloc(125) }),
  pongs: () => rawFrame({ opcode: 10 }),
  fragments: (i) => rawFrame({ opcode: i === 0 ? 2 : 0, fin: false }),
} as const satisfies Record<string, (index: number) => Uint8Array>;

/** Each client opens a stream and sends messages of one kind as fast as the server reads them. */
function messageFlood(name: string, kinds: readonly (keyof typeof messages)[]): Attack {
  return {
    name,
    payloads: () => Promise.resolve(kinds.map((kind) => chunkOf(messages[kind]))),
    async attack(target, signal) {
      let opened = 0;
      await persistAll(target, signal, async () => {
        const socket = await openRawStream(target, target.address(), signal);
        target.count('streams');
        await flood(socket, target.payloads[opened++ % target.payloads.length] ?? new Uint8Array(), signal);
        if (!signal.aborted) target.count('ended by the server');
      });
    },
  };
}

const get = (path: string): Uint8Array => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
const paths = ['/', '/v1/capabilities', '/healthz', '/readyz', '/metrics', '/nothing', '/v1/stream'];

/** Opens a plain connection and discards its responses. */
async function openConnection(target: Target, signal: AbortSignal): Promise<Socket> {
  const { hostname, port } = new URL(target.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: target.address() });
  await once(socket, 'connect', { signal });
  socket.on('error', () => {});
  target.count('connections');
  return socket.resume();
}

/** Each client sends requests over one connection without waiting for responses (RFC 9112 section 9.3.2). */
function pipelineFlood(name: string, asked: readonly string[]): Attack {
  return {
    name,
    payloads: () => Promise.resolve([chunkOf((i) => get(asked[i % asked.length] ?? '/'))]),
    async attack(target, signal) {
      await persistAll(target, signal, async () => {
        const socket = await openConnection(target, signal);
        await flood(socket, target.payloads[0] ?? new Uint8Array(), signal);
        if (!signal.aborted) target.count('ended by the server');
      });
    },
  };
}

/** Each client sends the next request when the response to the previous one begins. */
const politeFlood: Attack = {
  name: 'flood-requests',
  async attack(target, signal) {
    await persistAll(target, signal, async (client) => {
      const socket = await openConnection(target, signal);
      const stop = (): void => void socket.destroy();
      signal.addEventListener('abort', stop);
      let asked = client;
      const ask = (): void => void socket.write(get(paths[asked++ % paths.length] ?? '/'));
      socket.on('data', (data) => {
        if (data.includes('HTTP/1.1 ')) ask();
      });
      ask();
      await once(socket, 'close');
      signal.removeEventListener('abort', stop);
      if (!signal.aborted) target.count('ended by the server');
    });
  },
};

export const requestFlood = pipelineFlood('flood-pipelined', paths);
const metricsFlood = pipelineFlood('flood-pipelined-metrics', ['/metrics']);
const pageFlood = pipelineFlood('flood-pipelined-page', ['/']);

const all = Object.keys(messages) as (keyof typeof messages)[];
export const mixedFlood = messageFlood('flood-all', all);
const pingFlood = messageFlood('flood-pings', ['pings']);
const controlFlood = messageFlood('flood-control', ['control', 'pongs']);
const updateFlood = messageFlood('flood-updates', ['updates', 'refused']);

export const floodCases: readonly AttackCase[] = [
  { attack: pingFlood, clients: 8, what: 'pings' },
  { attack: pingFlood, clients: 14, what: 'pings' },
  { attack: mixedFlood, clients: 14, what: 'messages of all kinds' },
  { attack: controlFlood, clients: 14, what: 'WebSocket pings and pongs' },
  { attack: updateFlood, clients: 8, what: 'updates' },
  { attack: politeFlood, clients: 14, what: 'one HTTP request after another' },
  { attack: requestFlood, clients: 8, what: 'HTTP requests without a wait' },
  { attack: metricsFlood, clients: 4, what: 'GET /metrics without a wait' },
  { attack: pageFlood, clients: 4, what: 'GET / without a wait' },
].map(({ attack, clients, what }) => ({
  name: `${attack.name}-${clients}`,
  what: `${clients} connections that send ${what} as fast as they can`,
  parts: [{ attack, clients }],
  streams: 0,
}));
