import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeMessage, type ClientMessage } from '@millrace/protocol';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { parseClientMessage } from '../../src/session/wire/client-message.js';
import { ProtocolError } from '../../src/session/wire/protocol-error.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { Mutator } from './mutator.js';
import { cases } from '../support/properties.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };
const seed = Number(process.env['MILLRACE_FUZZ_SEED'] ?? 20_231_212);

/** Returns whether the message is valid. */
function parse(bytes: Uint8Array): boolean {
  try {
    parseClientMessage(bytes);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** Messages of the right structure, with any fields. */
const anyMessage = fc
  .tuple(
    fc.constantFrom('hello', 'frame', 'update', 'ack', 'ping', 'authenticate', 'result', ''),
    fc.dictionary(
      fc.constantFrom(
        'id',
        'captured',
        'data',
        'request',
        'parameters',
        'sequence',
        'sent',
        'token',
        'resume',
      ),
      fc.oneof(
        fc.double(),
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array(),
        fc.array(fc.integer()),
        fc.object({ maxDepth: 2 }),
      ),
    ),
  )
  .map(([type, fields]) => encodeMessage({ ...fields, type } as unknown as ClientMessage));

describe('any message of a client', () => {
  it('is parsed or refused: 20,000 damaged messages', () => {
    const mutator = new Mutator(seed);
    const count = cases(20_000);
    let valid = 0;
    for (let i = 0; i < count; i++) if (parse(mutator.next())) valid += 1;
    assert.ok(valid > count / 100, 'some of them are still valid');
  });

  it('is parsed or refused: fields of any kind', () => {
    fc.assert(
      fc.property(anyMessage, (bytes) => {
        parse(bytes);
      }),
      { numRuns: cases(1000), seed },
    );
  });

  it('is answered by a live server, which continues and leaks nothing', { timeout: 120_000 }, async () => {
    await using server = await startServer({
      maxConnectsPerMinute: 1_000_000,
      maxMessagesPerSecond: 100_000,
      graceSeconds: 0,
    });
    await server.app.ready();
    await using bystander = await StreamClient.open(server.streamUrl, small);
    const mutator = new Mutator(seed);
    const count = cases(2000);
    const generated = fc.sample(anyMessage, { numRuns: count >> 2, seed });
    let victim = await StreamClient.open(server.streamUrl, small);
    let connections = 1;
    for (let i = 0; i < count; i++) {
      if (victim.socket.readyState !== WebSocket.OPEN) {
        await victim.closed;
        victim = await StreamClient.open(server.streamUrl, small);
        connections += 1;
      }
      victim.socket.send(i % 4 === 3 ? (generated[i >> 2] ?? new Uint8Array()) : mutator.next());
      // Wait for the answer, so that the next message does not go to a session that is gone.
      if (i % 8 === 7) await Promise.race([victim.closed, pong(victim)]);
    }
    assert.ok(connections > 10, 'sessions were ended');
    assert.equal((await bystander.generate(0, picture)).type, 'result');
    assert.deepEqual(bystander.all('error'), []);
    await victim[Symbol.asyncDispose]();
    const sessions = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    let metrics = '';
    for (let tries = 0; tries < 200; tries++) {
      metrics = await sessions();
      if (/^millrace_sessions\{state="active"\} 1$/m.test(metrics)) break;
    }
    assert.match(metrics, /^millrace_sessions\{state="active"\} 1$/m);
    assert.match(metrics, /^millrace_sessions\{state="closing"\} 0$/m);
    assert.doesNotMatch(metrics, /^millrace_errors_total\{code="internal"\} [1-9]/m);
    assert.doesNotMatch(metrics, /^millrace_errors_total\{code="engine_(restarting|failed)"\} [1-9]/m);
  });
});

async function pong(client: StreamClient): Promise<void> {
  const heard = new Promise<void>((resolve) => client.socket.once('pong', () => resolve()));
  client.socket.ping(undefined, undefined, () => {});
  await heard;
}
