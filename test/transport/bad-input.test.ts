import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { ErrorCode, ParameterUpdate } from '@millrace/protocol';
import { pngChunk, pngFile, withPngChunks } from '../image/files.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small: ParameterUpdate = { width: 64, height: 64 };

/** Returns a JPEG whose header says 30,000 x 30,000 pixels. */
function giantJpeg(): Uint8Array {
  const giant = Buffer.from(picture);
  const header = giant.indexOf(Buffer.of(0xff, 0xc0));
  giant.writeUInt16BE(30_000, header + 5);
  giant.writeUInt16BE(30_000, header + 7);
  return giant;
}

/** Returns a PNG without pixels. */
const emptyPng = (width: number, height: number): Uint8Array => pngFile({ width, height });

/** A whole PNG of one pixel. */
const dot = pngFile({ width: 1, height: 1 }, pngChunk('IDAT', deflateSync(Buffer.alloc(4))));

const crowded = withPngChunks(
  dot,
  Array.from({ length: 5000 }, () => pngChunk('prVt', new Uint8Array(0))),
);

interface BadInput {
  readonly what: string;
  readonly send: (client: StreamClient) => void;
  readonly code: ErrorCode;
  readonly field?: string;
  /** Whether hello comes first, which is the default. */
  readonly hello?: false;
  /** Close code, if the connection ends. */
  readonly close?: number;
}

const frame = (data: Uint8Array) => (client: StreamClient) =>
  client.send({ type: 'frame', id: 0, captured: 0, data });
const steered = (controls: object) => (client: StreamClient) =>
  client.send({ type: 'frame', id: 0, captured: 0, data: picture, controls: controls as never });
const update = (parameters: object) => (client: StreamClient) =>
  client.send({ type: 'update', request: 0, parameters });
const hex = (bytes: string) => (client: StreamClient) => client.socket.send(Buffer.from(bytes, 'hex'));

const table: readonly BadInput[] = [
  { what: 'truncated MessagePack', send: hex('82a474797065a5'), code: 'invalid_message', close: 4400 },
  {
    what: 'a text message',
    send: (client) => client.socket.send('{}'),
    code: 'invalid_message',
    close: 4400,
  },
  { what: 'an unknown message', send: hex('81a474797065a36e6577'), code: 'unknown_message' },
  { what: 'a frame before hello', send: frame(picture), code: 'hello_required', hello: false, close: 4400 },
  {
    what: 'hello with a parameter out of range',
    send: (client) => client.send({ type: 'hello', parameters: { steps: 1000 } }),
    code: 'invalid_parameter',
    field: 'steps',
    hello: false,
  },
  { what: 'a frame that is not an image', send: frame(Buffer.from('GIF89a')), code: 'invalid_frame' },
  { what: 'an empty frame', send: frame(new Uint8Array()), code: 'invalid_frame' },
  { what: 'half a JPEG', send: frame(picture.subarray(0, picture.length >> 1)), code: 'invalid_frame' },
  { what: 'a JPEG of 30,000 x 30,000 by header', send: frame(giantJpeg()), code: 'invalid_frame' },
  {
    what: 'a PNG of 30,000 x 30,000 by header',
    send: frame(emptyPng(30_000, 30_000)),
    code: 'invalid_frame',
  },
  { what: 'a PNG of 4,000,000 x 1', send: frame(emptyPng(4_000_000, 1)), code: 'invalid_frame' },
  { what: 'a PNG of 1 x 65', send: frame(emptyPng(1, 65)), code: 'invalid_frame' },
  { what: 'a PNG of more than four megapixels', send: frame(emptyPng(2049, 2048)), code: 'invalid_frame' },
  { what: 'a PNG without pixels', send: frame(emptyPng(64, 64)), code: 'invalid_frame' },
  { what: 'a PNG in countless chunks', send: frame(crowded), code: 'invalid_frame' },
  {
    what: 'a prompt of a megabyte',
    send: update({ prompt: 'x'.repeat(1_000_000) }),
    code: 'invalid_parameter',
    field: 'prompt',
  },
  { what: 'NaN', send: update({ strength: Number.NaN }), code: 'invalid_parameter', field: 'strength' },
  { what: 'a value out of range', send: update({ delta: 2.5 }), code: 'invalid_parameter', field: 'delta' },
  {
    what: 'a size that no model accepts',
    send: update({ width: 65 }),
    code: 'invalid_parameter',
    field: 'width',
  },
  { what: 'an unknown parameter', send: update({ speed: 1 }), code: 'invalid_parameter', field: 'speed' },
  {
    what: 'a control that the model lacks',
    send: update({ controls: { canny: { scale: 1 } } }),
    code: 'invalid_parameter',
    field: 'controls',
  },
  {
    what: 'hello with a control that the model lacks',
    send: (client) => client.send({ type: 'hello', parameters: { controls: { canny: { scale: 1 } } } }),
    code: 'invalid_parameter',
    field: 'controls',
    hello: false,
  },
  {
    what: 'a picture for a control that the model lacks',
    send: steered({ canny: picture }),
    code: 'invalid_frame',
    field: 'controls.canny',
  },
  {
    what: 'a picture of a control that is a text',
    send: steered({ canny: 'canny' }),
    code: 'invalid_message',
    field: 'controls',
    close: 4400,
  },
  {
    what: 'an update without parameters',
    send: hex('82a474797065a6757064617465a77265717565737400'),
    code: 'invalid_parameter',
    field: 'parameters',
  },
  {
    what: 'more frames than credits',
    send: (client) => {
      for (let id = 0; id < 50; id++) client.send({ type: 'frame', id, captured: 0, data: picture });
    },
    code: 'credit_exceeded',
  },
  {
    what: 'a falling id',
    send: (client) => {
      for (const id of [1, 0]) client.send({ type: 'frame', id, captured: 0, data: picture });
    },
    code: 'invalid_message',
    field: 'id',
    close: 4400,
  },
];

describe('bad input', () => {
  let server: TestServer;
  let bystander: StreamClient;
  let next = 0;

  before(async () => {
    server = await startServer({ maxMessageBytes: 2_000_000, credits: 1 });
    await server.app.ready();
    bystander = await StreamClient.open(server.streamUrl, small);
  });

  after(() => server[Symbol.asyncDispose]());

  afterEach(async () => {
    const { type } = await bystander.generate(next++, picture);
    assert.equal(type, 'result', 'another session was disturbed');
    assert.deepEqual(bystander.all('error'), []);
  });

  for (const { what, send, code, field, hello = true, close } of table) {
    it(`${what}: ${code}${close === undefined ? ', and the stream continues' : ''}`, async () => {
      await using client = hello
        ? await StreamClient.open(server.streamUrl, small)
        : await StreamClient.connect(server.streamUrl);
      send(client);
      const error = await client.error(code);
      if (field !== undefined) assert.equal(error.field, field);
      assert.ok(error.message.length < 1000);
      if (close !== undefined) {
        assert.deepEqual(await client.closed, { code: close, reason: code });
        return;
      }
      if (!hello) client.send({ type: 'hello', parameters: small });
      await client.first('ready');
      const { type } = await client.generate(1000, picture);
      assert.equal(type, 'result');
    });
  }

  it('a text message: the error says what messages must look like', async () => {
    const client = await StreamClient.connect(server.streamUrl);
    client.socket.send('{"type":"hello"}');
    assert.match((await client.error('invalid_message')).message, /binary.*MessagePack.*text/);
  });

  it('a message that is too large: close code 1009', async () => {
    const client = await StreamClient.open(server.streamUrl, small);
    frame(new Uint8Array(2_000_001))(client);
    assert.equal((await client.closed).code, 1009);
  });

  it('a client that vanishes in the middle of a frame, while others are under way', async () => {
    const client = await StreamClient.open(server.streamUrl, small);
    frame(picture)(client);
    client.send({ type: 'frame', id: 1, captured: 0, data: new Uint8Array(1_900_000) });
    client.socket.terminate();
    await client.closed;
    let metrics = '';
    const alone = /^millrace_sessions\{state="active"\} 1$/m;
    for (let tries = 0; tries < 100 && !alone.test(metrics); tries++) {
      metrics = await (await fetch(`${server.url}/metrics`)).text();
    }
    assert.match(metrics, alone);
  });
});
