import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMap, encodeMap } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import { sniffFormat } from '../../../src/image/format.js';
import { motionJpegFrames } from '../../support/frames.js';
import { startServer, type TestServer } from '../../support/server.js';
import { TalkingSocket } from './talking-socket.js';
import { accessToken, jwtSecret } from './token.js';

const frames = motionJpegFrames('walkers.mjpeg');
const picture = frames[0];
const other = frames.at(-1)!;
const init = { type: 'init', model: 'any', prompt: 'a fox', size: '64x64', num_inference_steps: 1 };

type Message = Readonly<Record<string, unknown>>;

/** Reads messages as SGLang's own clients do: a header takes the next message as its payload. */
class Client implements AsyncDisposable {
  readonly talk: TalkingSocket;

  constructor(url: string, query = '', headers = {}) {
    const address = `${url.replace('http', 'ws')}/v1/realtime_video/generate${query}`;
    this.talk = new TalkingSocket(address, { headers });
  }

  send(message: object): void {
    this.talk.socket.send(encodeMap(message));
  }

  get messages(): readonly Message[] {
    const messages: Message[] = [];
    for (let i = 0; i < this.talk.heard.length; i += 1) {
      const message = decodeMap(this.talk.heard[i] as Uint8Array);
      if (message['type'] !== 'frame_batch_header') messages.push(message);
      else {
        i += 1;
        const payload = this.talk.heard[i];
        if (payload !== undefined) messages.push({ ...message, payload });
      }
    }
    return messages;
  }

  get frames(): readonly Message[] {
    return this.messages.filter((message) => 'payload' in message);
  }

  /** Waits for this many frames. */
  async first(count: number): Promise<readonly Message[]> {
    return this.talk.until(() => (this.frames.length >= count ? this.frames : undefined));
  }

  async error(): Promise<string> {
    return this.talk.until(() => {
      const error = this.messages.find(({ type }) => type === 'error');
      return error && String(error['content']);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.talk[Symbol.asyncDispose]();
  }
}

describe("SGLang's realtime video", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ compat: ['sglang'], maxSessions: 4, maxCallSeconds: 0 });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  const open = async (message: object): Promise<Client> => {
    const client = new Client(server.url);
    await client.talk.open();
    client.send(message);
    return client;
  };

  it('generates chunks from a picture, with statistics, and ends after the last one', async () => {
    await using client = await open({ ...init, first_frame: picture, num_frames: 2, max_chunks: 3 });
    assert.deepEqual(await client.talk.closed, { code: 1000, reason: 'generation complete' });
    const { frames: sent, messages } = client;
    assert.deepEqual(
      sent.map((frame) => [frame['chunk_index'], frame['frame_batch_index'], frame['is_final_frame_batch']]),
      [0, 1, 2].flatMap((chunk) => [
        [chunk, 0, false],
        [chunk, 1, true],
      ]),
    );
    for (const frame of sent) {
      const { payload, width, height, channels, bytes_per_frame: bytes, num_frames: count } = frame;
      assert.deepEqual([width, height, channels, bytes, count], [64, 64, 3, 64 * 64 * 3, 1]);
      assert.deepEqual(
        [frame['content_type'], frame['format'], frame['encoding']],
        ['application/x-raw-rgb', 'rgb24', 'raw'],
      );
      assert.equal((payload as Uint8Array).length, 64 * 64 * 3);
      assert.equal(frame['total_size'], 64 * 64 * 3);
    }
    const statistics = messages.filter(({ type }) => type === 'chunk_stats');
    assert.deepEqual(
      statistics.map((chunk) => [chunk['chunk_index'], chunk['num_frames'], chunk['request_id']]),
      [0, 1, 2].map((i) => [i, 2, sent[2 * i]?.['request_id']]),
    );
    for (const chunk of statistics) assert.ok(Number(chunk['chunk_total_ms']) >= 0);
  });

  it('generates from noise without a picture', async () => {
    await using client = await open({ ...init, max_chunks: 2, realtime_output_format: 'jpeg' });
    await client.talk.closed;
    assert.equal(client.frames.length, 2);
  });

  for (const format of ['jpeg', 'webp'] as const) {
    it(`sends ${format} files`, async () => {
      const request = { ...init, first_frame: picture, max_chunks: 1, realtime_output_format: format };
      await using client = await open({ ...request, output_compression: 80 });
      const [frame] = await client.first(1);
      const payload = frame?.['payload'] as Uint8Array;
      assert.equal(sniffFormat(payload), format);
      assert.deepEqual(frame?.['payload_lengths'], [payload.length]);
      const { width, height } = await decodeImage(payload, { maxPixels: 1e6 });
      assert.deepEqual([width, height, frame?.['content_type']], [64, 64, `image/${format}`]);
    });
  }

  it('sends a large payload after its header, as a message of its own', async () => {
    await using client = await open({ ...init, size: '256x128', first_frame: picture, max_chunks: 1 });
    const [frame] = await client.first(1);
    assert.equal(frame?.['type'], 'frame_batch_header');
    assert.equal((frame['payload'] as Uint8Array).length, 256 * 128 * 3);
  });

  it('takes the next picture, prompt and parameters as events, whose number comes with what they changed', async () => {
    const request = { ...init, first_frame: picture, realtime_output_format: 'jpeg' };
    await using client = await open(request);
    const [before] = await client.first(1);
    assert.equal(before?.['event_id'], undefined);
    const event = { type: 'event', event_id: 5 };
    client.send({ ...event, kind: 'heartbeat' });
    client.send({ ...event, kind: 'prompt', payload: 'a bird' });
    client.send({ ...event, event_id: 6, kind: 'parameters', payload: { seed: 9 } });
    client.send({ ...event, event_id: 7, kind: 'frame', payload: other });
    const named = await client.talk.until(() => client.frames.find((frame) => frame['event_id'] === 7));
    const [settled] = [named].map((frame) => Number(frame['chunk_index']));
    await client.first((settled ?? 0) + 6);
    assert.notDeepEqual(client.frames.at(-1)?.['payload'], before?.['payload']);
  });

  it('sends at most as many frames per second as init says', async () => {
    const startedAt = performance.now();
    await using client = await open({ ...init, first_frame: picture, fps: 10, max_chunks: 6 });
    await client.talk.closed;
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds > 0.45, `6 frames took ${seconds} s`);
  });

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['another first message', { type: 'event', kind: 'prompt' }, /first message must be init/],
    ['a size without a height', { ...init, size: '64' }, /invalid_parameter: size must be/],
    ['a size that the model cannot have', { ...init, size: '70x64' }, /invalid_parameter: width must be/],
    [
      'a video format',
      { ...init, realtime_output_format: 'h264' },
      /realtime_output_format must be one of raw/,
    ],
    [
      'a picture elsewhere',
      { ...init, first_frame: 'https://example.org/a.jpg' },
      /first_frame must be a data URI/,
    ],
    ['no chunks', { ...init, max_chunks: 0 }, /max_chunks must be an integer from 1/],
  ];
  for (const [what, message, error] of wrong) {
    it(`refuses ${what} in the form of the protocol`, async () => {
      await using client = await open(message);
      assert.match(await client.error(), error);
    });
  }

  it('goes on after an event that it does not know', async () => {
    await using client = await open({ ...init, first_frame: picture });
    await client.first(1);
    client.send({ type: 'event', kind: 'camera_actions', payload: [['w']] });
    assert.match(await client.error(), /kind must be prompt, frame, parameters or heartbeat/);
    client.send({ type: 'event', kind: 'parameters', payload: { steps: 99 } });
    await client.talk.until(() =>
      client.messages.find(({ content }) => String(content).includes('steps must be')),
    );
    client.send({ type: 'event', kind: 'parameters', payload: picture });
    await client.talk.until(() =>
      client.messages.find(({ content }) => String(content).includes('must be a map, not binary data')),
    );
    client.send({ type: 'event', event_id: 3, kind: 'prompt', payload: 'a bird' });
    await client.talk.until(() => client.frames.find((frame) => frame['event_id'] === 3));
  });

  it('says once that a picture is unusable, and goes on with the next', async () => {
    await using client = await open({ ...init, first_frame: Uint8Array.of(1, 2, 3) });
    assert.match(await client.error(), /invalid_frame: /);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(
      client.messages.map(({ type }) => type),
      ['error'],
    );
    client.send({ type: 'event', event_id: 4, kind: 'frame', payload: picture });
    await client.first(3);
  });

  it('refuses text, and what is not MessagePack', async () => {
    for (const data of ['{"type":"init"}', Uint8Array.of(0xc1)]) {
      await using client = new Client(server.url);
      await client.talk.open();
      client.talk.socket.send(data);
      assert.match(await client.error(), /invalid_message/);
      assert.equal((await client.talk.closed).code, 4400);
    }
  });

  it('is healthy when it is ready, and names its model', async () => {
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as {
      readonly data: readonly { readonly id: string }[];
    };
    assert.equal(typeof data[0]?.id, 'string');
  });

  it('needs a token where sessions need one', async () => {
    await using guarded = await startServer({ compat: ['sglang'], jwtSecret });
    await guarded.app.ready();
    await using stranger = new Client(guarded.url);
    await stranger.talk.open();
    stranger.send(init);
    assert.match(await stranger.error(), /unauthorized/);
    assert.equal((await stranger.talk.closed).code, 4401);
    const token = await accessToken();
    const ways = [
      [`?token=${token}`, {}],
      ['', { authorization: `Bearer ${token}` }],
    ] as const;
    for (const [query, headers] of ways) {
      const client = new Client(guarded.url, query, headers);
      await client.talk.open();
      client.send({ ...init, first_frame: picture });
      await client.first(1);
      await client[Symbol.asyncDispose]();
    }
  });
});
