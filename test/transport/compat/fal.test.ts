import { fal } from '@fal-ai/client';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMap, encodeMap } from '@millrace/protocol';
import { WebSocket } from 'ws';
import { decodeImage } from '../../../src/image/decode.js';
import { motionJpegFrames } from '../../support/frames.js';
import { startServer, type TestServer } from '../../support/server.js';
import { TalkingSocket } from './talking-socket.js';
import { accessToken, jwtSecret } from './token.js';

const frames = motionJpegFrames('walkers.mjpeg');
const [picture = new Uint8Array()] = frames;
const size = { image_size: { width: 64, height: 64 }, num_inference_steps: 1 };
const uri = `data:image/jpeg;base64,${Buffer.from(picture).toString('base64')}`;

interface Result {
  readonly request_id: string;
  readonly image?: Uint8Array;
  readonly images: readonly {
    readonly url?: string;
    readonly content?: Uint8Array;
    readonly width: number;
    readonly content_type: string;
  }[];
  readonly seed: number;
  readonly timings: { readonly inference: number };
}

/** Returns the WebSocket of a browser, except that it connects to this server whatever the host in an address is. */
function socketTo(url: string): typeof globalThis.WebSocket {
  class Redirected extends WebSocket {
    constructor(address: string | URL) {
      super(String(address).replace('wss://fal.run', url.replace('http', 'ws')));
    }
  }
  return Redirected as unknown as typeof globalThis.WebSocket;
}

/** Collects what a connection of the real client gets. */
class FalClient {
  readonly results: Result[] = [];
  readonly errors: string[] = [];
  readonly connection: { send(input: object): void; close(): void };
  #wake: () => void = () => {};

  constructor(token = 'any', app = 'millrace/live') {
    this.connection = fal.realtime.connect<object, Result>(app, {
      connectionKey: crypto.randomUUID(),
      throttleInterval: 0,
      tokenProvider: () => Promise.resolve(token),
      onResult: (result) => {
        this.results.push(result);
        this.#wake();
      },
      onError: ({ message }) => {
        this.errors.push(message);
        this.#wake();
      },
    });
  }

  /** Sends requests, and waits until the last one is answered. */
  async ask(...requests: readonly object[]): Promise<Result> {
    const id = crypto.randomUUID();
    for (const [i, request] of requests.entries()) {
      this.connection.send({ ...request, ...(i === requests.length - 1 && { request_id: id }) });
    }
    return this.until(() => this.results.find(({ request_id }) => request_id === id));
  }

  async error(): Promise<string> {
    return this.until(() => this.errors[0]);
  }

  async until<Found>(look: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function sizeOf(file: Uint8Array | undefined): Promise<readonly number[]> {
  assert.ok(file);
  const { width, height } = await decodeImage(new Uint8Array(file), { maxPixels: 1e6 });
  return [width, height];
}

describe("fal's realtime client", () => {
  let server: TestServer;
  const global = globalThis.WebSocket;
  before(async () => {
    server = await startServer({ compat: ['fal'] });
    await server.app.ready();
    globalThis.WebSocket = socketTo(server.url);
  });
  after(async () => {
    globalThis.WebSocket = global;
    await server[Symbol.asyncDispose]();
  });

  it('gets a result for each picture, with the number of its request', async () => {
    const client = new FalClient();
    for (const image of frames.slice(0, 3)) {
      const result = await client.ask({ ...size, prompt: 'a fox', image, strength: 0.6, seed: 7 });
      assert.deepEqual(await sizeOf(result.image), [64, 64]);
      assert.deepEqual([result.seed, result.images[0]?.content_type], [7, 'image/jpeg']);
      assert.ok(result.timings.inference > 0);
    }
    assert.deepEqual([client.results.length, client.errors], [3, []]);
    client.connection.close();
  });

  it('gets a data URI for a data URI', async () => {
    const client = new FalClient();
    const { images } = await client.ask({ ...size, prompt: 'a fox', image_url: uri, sync_mode: true });
    const [, base64 = ''] = images[0]?.url?.split(',') ?? [];
    assert.match(images[0]?.url ?? '', /^data:image\/jpeg;base64,/);
    assert.deepEqual(await sizeOf(Buffer.from(base64, 'base64')), [64, 64]);
    client.connection.close();
  });

  it('gets one image for each prompt without a picture, the same for the same seed', async () => {
    const client = new FalClient();
    const files: Uint8Array[] = [];
    for (const seed of [1, 1, 2]) {
      const { images } = await client.ask({ ...size, prompt: 'a fox', seed, num_images: 1 });
      assert.deepEqual(await sizeOf(images[0]?.content), [64, 64]);
      files.push(new Uint8Array(images[0]?.content ?? []));
    }
    assert.deepEqual(files[0], files[1]);
    assert.notDeepEqual(files[0], files[2]);
    assert.equal(client.results.length, 3);
    client.connection.close();
  });

  it('gets the defaults for what a request leaves out, and may change between pictures and prompts', async () => {
    const client = new FalClient();
    const before = await client.ask({ ...size, image: picture });
    await client.ask({ ...size, image: picture, seed: 9, strength: 0.9 });
    assert.ok((await client.ask({ ...size, prompt: 'a fox' })).images[0]?.content);
    const after = await client.ask({ ...size, image: picture });
    assert.deepEqual(after.image, before.image);
    client.connection.close();
  });

  it('gets a result for the newest of many requests', async () => {
    const client = new FalClient();
    const many = Array.from({ length: 30 }, (_, seed) => ({ ...size, image: picture, seed }));
    assert.equal((await client.ask(...many)).seed, 29);
    assert.ok(client.results.length < 30, `${client.results.length} results`);
    client.connection.close();
  });

  it('gets its results, later, if it changes parameters faster than the server allows', async () => {
    await using slow = await startServer({ compat: ['fal'], maxUpdatesPerSecond: 2 });
    await slow.app.ready();
    globalThis.WebSocket = socketTo(slow.url);
    const client = new FalClient();
    for (const seed of [1, 2, 3, 4, 5]) {
      assert.equal((await client.ask({ ...size, image: picture, seed })).seed, seed);
    }
    assert.deepEqual(client.errors, []);
    client.connection.close();
    globalThis.WebSocket = socketTo(server.url);
  });

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['a value out of range', { image: picture, strength: 7 }, /invalid_parameter: strength must be/],
    ['a picture elsewhere', { image_url: 'https://example.org/a.jpg' }, /image_url must be a data URI/],
    ['several images', { image: picture, num_images: 4 }, /num_images must be an integer from 1 to 1/],
    [
      'bytes in a wrong place',
      { image_size: { bytes: new Uint8Array(5 << 20) } },
      /not {"bytes":"binary data"}/,
    ],
    ['an unknown size', { image: picture, image_size: 'huge' }, /image_size must be one of square/],
    ['a file that is no picture', { image: Uint8Array.of(1, 2, 3) }, /invalid_frame: .*JPEG, PNG or WebP/],
  ];
  for (const [what, request, message] of wrong) {
    it(`gets an error for ${what}, and goes on`, async () => {
      const client = new FalClient();
      client.connection.send({ ...size, ...request });
      assert.match(await client.error(), message);
      assert.ok((await client.ask({ ...size, image: picture })).image);
      client.connection.close();
    });
  }

  it('may use any name and endpoint of an application', async () => {
    const client = new FalClient('any', 'fal-ai/fast-turbo-diffusion/image-to-image');
    assert.ok((await client.ask({ ...size, image: picture })).image);
    client.connection.close();
  });

  it('may speak JSON', async () => {
    const address = `${server.url.replace('http', 'ws')}/millrace/live/realtime?fal_jwt_token=any`;
    await using talk = await new TalkingSocket(address).open();
    talk.socket.send(JSON.stringify({ ...size, image_url: uri, request_id: 'one' }));
    const text = await talk.until((heard) => heard[0]);
    const { request_id, images } = JSON.parse(String(text)) as Result;
    assert.equal(request_id, 'one');
    assert.match(images[0]?.url ?? '', /^data:image\/jpeg;base64,/);
    talk.socket.send('not JSON');
    const error = await talk.until((heard) => heard[1]);
    assert.deepEqual(JSON.parse(String(error)), {
      type: 'x-fal-error',
      error: 'invalid_message',
      reason: 'the text is not JSON',
    });
    assert.equal((await talk.closed).code, 4400);
  });

  it('is told that its JSON nests too deep: written again, it would take all of the stack', async () => {
    await using talk = await new TalkingSocket(`${server.url.replace('http', 'ws')}/a/b/realtime`).open();
    talk.socket.send(`{"prompt":${'['.repeat(4000)}${']'.repeat(4000)},"image_url":"${uri}"}`);
    const { error, reason } = JSON.parse(String(await talk.until((heard) => heard[0]))) as object as {
      readonly error: string;
      readonly reason: string;
    };
    assert.deepEqual([error, reason], ['invalid_message', 'the JSON text nests deeper than 8']);
    assert.equal((await talk.closed).code, 4400);
  });

  it('is told in MessagePack what is wrong with its MessagePack', async () => {
    for (const bytes of [Uint8Array.of(0xc1), encodeMap([1, 2])]) {
      await using talk = await new TalkingSocket(`${server.url.replace('http', 'ws')}/a/b/realtime`).open();
      talk.socket.send(bytes);
      const error = decodeMap((await talk.until((heard) => heard[0])) as Uint8Array);
      assert.equal(error['type'], 'x-fal-error');
      assert.match(String(error['reason']), /MessagePack/);
    }
  });

  it('is refused without a valid token, where sessions need one, in the words that it knows', async () => {
    await using guarded = await startServer({ compat: ['fal'], jwtSecret });
    await guarded.app.ready();
    globalThis.WebSocket = socketTo(guarded.url);
    const welcome = new FalClient(await accessToken());
    assert.ok((await welcome.ask({ ...size, image: picture })).image);
    welcome.connection.close();
    globalThis.WebSocket = socketTo(server.url);
    const address = `${guarded.url.replace('http', 'ws')}/millrace/live/realtime?fal_jwt_token=wrong`;
    await using talk = await new TalkingSocket(address).open();
    talk.socket.send(JSON.stringify({ ...size, image_url: uri }));
    const error = await talk.until((heard) => heard[0]);
    assert.deepEqual(JSON.parse(String(error)), { status: 'error', error: 'Unauthorized' });
    assert.equal((await talk.closed).code, 4401);
  });

  it('gets an error for a prompt alone if the model only changes pictures', async () => {
    const { embeddedModel } = await import('../../support/engine.js');
    await using changer = await startServer({ compat: ['fal'], model: embeddedModel });
    await changer.app.ready();
    globalThis.WebSocket = socketTo(changer.url);
    const client = new FalClient();
    client.connection.send({ prompt: 'a fox' });
    assert.match(await client.error(), /unsupported_mode: .*image_url/);
    client.connection.close();
    globalThis.WebSocket = socketTo(server.url);
  });
});
