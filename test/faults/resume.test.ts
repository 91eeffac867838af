import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { ParameterUpdate } from '@millrace/protocol';
import { decodeImage } from '../../src/image/decode.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { createResumeTokens } from '../../src/session/live/resume-token.js';
import { greatestDifference } from '../support/compare.js';
import { testImage, tinyModel } from '../support/engine.js';
import { startServer, type TestServer } from '../support/server.js';
import { startServer as startProcess } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

const resumeKey = 'a key that the servers of a test share';
const parameters: ParameterUpdate = {
  width: 64,
  height: 64,
  prompt: 'a fox',
  t_index_list: [12, 20, 30, 40],
  denoise: 'stream',
  noise: 'drift',
  quality: 100,
};
const picture = (index: number): Promise<Uint8Array> =>
  encodeJpeg(testImage(index, { width: 64, height: 64 }), 95);

/** Returns the newest resume token of a client. */
const newestToken = (client: StreamClient): string => client.all('checkpoint').at(-1)?.token ?? '';

const pixels = async (jpeg: Uint8Array): Promise<Uint8Array> =>
  (await decodeImage(jpeg, { maxPixels: 1e6, allocate: (bytes) => new Uint8Array(bytes) })).data;

describe('a server that is killed while a stream runs', () => {
  it('has its stream continued by another server, as if there had been no break', async () => {
    const flags = ['--model', tinyModel, '--threads', '1', '--credits', '1', '--resume-key', resumeKey];
    const args = [
      ...flags,
      '--checkpoint-seconds',
      '0.05',
      '--drain-seconds',
      '0',
      '--resume-seconds',
      '600',
    ];
    await using first = await startProcess(...args);
    await using second = await startProcess(...args);
    const url = (server: { readonly url: string }): string => `${server.url.replace('http', 'ws')}/v1/stream`;
    const tokens = createResumeTokens({ secret: resumeKey, lifetimeMs: 0, maxLength: 0, now: () => 0 });

    const client = await StreamClient.open(url(first), parameters);
    let sent = 0;
    // A token with several frames under way, and some results before.
    let token = '';
    for (; sent < 200; sent++) {
      await client.sendFrame(sent, await picture(sent));
      token = newestToken(client);
      if ((tokens.open(token)?.state.frames.length ?? 0) > 1 && client.all('result').length > 4) break;
    }
    first.child.kill('SIGKILL');
    await Promise.all([once(first.child, 'exit'), client.closed]);
    const state = tokens.open(token)?.state;
    assert.ok(state && state.frames.length > 1, 'frames are under way');

    await using resumed = await StreamClient.greet(url(second), { resume: token });
    const [ready] = resumed.all('ready');
    assert.equal(ready?.resumed, true);
    assert.equal(ready?.session, client.all('ready')[0]?.session);
    assert.equal(ready?.parameters.prompt, 'a fox');
    // On a busy machine results may be dropped as old, but no frame before work on it began.
    const more = 24;
    for (let i = 0; i < more; i++) await resumed.sendFrame(sent + 1 + i, await picture(state.ordinal + i));
    await resumed.answered(sent + more);

    await using whole = await StreamClient.open(url(second), parameters);
    for (let i = 0; i < state.ordinal + more; i++) await whole.sendFrame(i, await picture(i));
    await whole.answered(state.ordinal + more - 1);
    const wanted = new Map(whole.all('result').map(({ id, data }) => [id, data]));
    const carried = new Set(state.frames.map(({ frame }) => frame));
    let compared = 0;
    for (const { id, data } of resumed.all('result')) {
      const index = carried.has(id) ? id : state.ordinal + id - sent - 1;
      const reference = wanted.get(index);
      if (!reference) continue;
      const difference = greatestDifference(await pixels(data), await pixels(reference));
      assert.ok(difference <= 1, `frame ${id} differs by ${difference}`);
      compared += 1;
    }
    assert.ok(compared > 4, `${compared} results were compared`);
  });
});

describe('a lost connection', () => {
  let server: TestServer;
  let other: TestServer;
  const settings = { resumeKey, checkpointSeconds: 0.05, graceSeconds: 600, resumeSeconds: 600 };

  before(async () => {
    [server, other] = await Promise.all([startServer(settings), startServer(settings)]);
    await Promise.all([server.app.ready(), other.app.ready()]);
  });

  after(async () => {
    await Promise.all([server[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  /** Returns a client and a token of its stream, in which a frame has been generated. */
  async function established(): Promise<{ readonly client: StreamClient; readonly token: string }> {
    const client = await StreamClient.open(server.streamUrl, parameters);
    const tokens = client.all('checkpoint').length;
    await client.generate(0, await picture(0));
    await client.until(() => client.all('checkpoint')[tokens]);
    return { client, token: newestToken(client) };
  }

  async function refused(url: string, token: string): Promise<void> {
    const client = await StreamClient.connect(url);
    client.send({ type: 'hello', resume: token });
    assert.deepEqual(await client.closed, { code: 4403, reason: 'invalid_resume_token' });
  }

  it('is resumed in the same session, with its parameters', async () => {
    const { client } = await established();
    client.send({ type: 'update', request: 1, parameters: { prompt: 'blueprint' } });
    await client.first('updated');
    client.socket.terminate();
    await client.closed;
    await using back = await StreamClient.greet(server.streamUrl, { resume: newestToken(client) });
    const [ready] = back.all('ready');
    assert.equal(ready?.resumed, true);
    assert.equal(ready?.session, client.all('ready')[0]?.session);
    assert.equal(ready?.parameters.prompt, 'blueprint');
    const answer = await back.generate(1, await picture(1));
    assert.equal(answer.type, 'result');
    back.send({ type: 'frame', id: 0, captured: 0, data: await picture(0) });
    assert.equal((await back.error('invalid_message')).field, 'id', 'ids must still rise');
  });

  it('is taken over by a second one, and the first gets the reason', async () => {
    const client = await StreamClient.open(server.streamUrl, parameters);
    const { token } = await client.first('checkpoint');
    await using second = await StreamClient.greet(server.streamUrl, { resume: token });
    assert.equal((await client.error('taken_over')).code, 'taken_over');
    assert.deepEqual(await client.closed, { code: 4409, reason: 'taken_over' });
    assert.equal((await second.generate(1, await picture(1))).type, 'result');
  });

  it('is not resumed with a used token, an older one, or after a proper end', async () => {
    const { client, token } = await established();
    await client.generate(1, await picture(1));
    client.socket.terminate();
    await client.closed;
    const newest = newestToken(client);
    const back = await StreamClient.greet(other.streamUrl, { resume: newest });
    await back.first('checkpoint');
    await back.generate(2, await picture(2));
    back.send({ type: 'ping', sent: 0 });
    await back.first('pong');
    await refused(other.streamUrl, newest);
    await refused(other.streamUrl, token === newest ? newest : token);
    const last = newestToken(back);
    await back[Symbol.asyncDispose]();
    await refused(other.streamUrl, last);
  });

  it('that lives is not taken over with a token older than the newest that its client has', async () => {
    await using calm = await startServer({ resumeKey, checkpointSeconds: 600 });
    await calm.app.ready();
    await using client = await StreamClient.open(calm.streamUrl, parameters);
    await client.until(() => client.all('checkpoint')[0]);
    client.send({ type: 'update', request: 1, parameters: { prompt: 'blueprint' } });
    await client.until(() => client.all('checkpoint')[1]);
    // A client with this result has the token that was sent before it, and acknowledges it.
    assert.equal((await client.generate(0, await picture(0))).type, 'result');
    client.send({ type: 'ping', sent: 0 });
    await client.first('pong');
    const [older = '', newest = ''] = client.all('checkpoint').map(({ token }) => token);
    await refused(calm.streamUrl, older);
    assert.equal((await client.generate(1, await picture(1))).type, 'result', 'the session was disturbed');
    await using second = await StreamClient.greet(calm.streamUrl, { resume: newest });
    assert.equal(second.all('ready')[0]?.parameters.prompt, 'blueprint');
    await second.first('checkpoint');
    assert.equal((await second.generate(2, await picture(2))).type, 'result');
    second.send({ type: 'ping', sent: 0 });
    await second.first('pong');
    await refused(calm.streamUrl, newest);
  });

  it('is resumed with the same token again if ready may have been lost, also after its session was given up', async () => {
    for (const graceSeconds of [600, 0]) {
      await using calm = await startServer({ resumeKey, checkpointSeconds: 600, graceSeconds });
      await calm.app.ready();
      const client = await StreamClient.open(calm.streamUrl, parameters);
      const { token } = await client.first('checkpoint');
      let lost = client;
      for (let time = 0; time < 2; time++) {
        lost.socket.terminate();
        await lost.closed;
        lost = await StreamClient.greet(calm.streamUrl, { resume: token });
        assert.equal(lost.all('ready')[0]?.resumed, true);
        assert.equal(lost.all('ready')[0]?.session, client.all('ready')[0]?.session);
      }
      assert.equal((await lost.generate(0, await picture(0))).type, 'result');
      await lost[Symbol.asyncDispose]();
    }
  });

  it('is resumed with an older token if the newest may have been lost with the connection', async () => {
    await using calm = await startServer({ resumeKey, checkpointSeconds: 600, graceSeconds: 600 });
    await calm.app.ready();
    const client = await StreamClient.open(calm.streamUrl, parameters);
    const { token } = await client.first('checkpoint');
    assert.equal((await client.generate(0, await picture(0))).type, 'result');
    client.send({ type: 'update', request: 1, parameters: { prompt: 'blueprint' } });
    await client.until(() => client.all('checkpoint')[1]);
    client.socket.terminate();
    await using back = await StreamClient.greet(calm.streamUrl, { resume: token });
    assert.equal(back.all('ready')[0]?.resumed, true);
    assert.equal(back.all('ready')[0]?.parameters.prompt, 'blueprint');
  });

  it('is not resumed with a token that was tampered with, or is not one', async () => {
    const { client, token } = await established();
    const middle = token.length >> 1;
    const flipped = token[middle] === 'A' ? 'B' : 'A';
    await refused(server.streamUrl, token.slice(0, middle) + flipped + token.slice(middle + 1));
    await refused(server.streamUrl, token.slice(0, -1));
    await refused(server.streamUrl, '');
    await refused(server.streamUrl, 'AQ'.repeat(700_000));
    assert.equal((await client.generate(1, await picture(1))).type, 'result', 'the session was disturbed');
    await client[Symbol.asyncDispose]();
  });

  it('is not resumed with the token of a server with another key', async () => {
    await using stranger = await startServer({ checkpointSeconds: 0.05 });
    await stranger.app.ready();
    const { client, token } = await established();
    await refused(stranger.streamUrl, token);
    await client[Symbol.asyncDispose]();
  });
});

describe('a server that drains', () => {
  it('sends its clients elsewhere, and waits until they have gone', async () => {
    await using next = await startServer({ resumeKey });
    await using leaving = await startServer({ resumeKey, drainSeconds: 60 });
    await Promise.all([next.app.ready(), leaving.app.ready()]);
    const client = await StreamClient.open(leaving.streamUrl, parameters);
    await client.generate(0, await picture(0));

    const stopped = leaving.app[Symbol.asyncDispose]();
    const { deadline_seconds, token } = await client.first('drain');
    assert.equal(deadline_seconds, 60);
    assert.equal((await fetch(`${leaving.url}/readyz`)).status, 503);
    await assert.rejects(StreamClient.connect(leaving.streamUrl), /503/);
    // It continues to serve the client until that has gone.
    assert.equal((await client.generate(1, await picture(1))).type, 'result');
    assert.ok(token);
    await using moved = await StreamClient.greet(next.streamUrl, { resume: token });
    assert.equal(moved.all('ready')[0]?.resumed, true);
    await client[Symbol.asyncDispose]();
    await stopped;
    assert.equal((await moved.generate(2, await picture(2))).type, 'result');
  });

  it('closes the remaining connections at the deadline', async () => {
    const server = await startServer({ drainSeconds: 0.2 });
    await server.app.ready();
    const client = await StreamClient.open(server.streamUrl, parameters);
    await server[Symbol.asyncDispose]();
    assert.equal(client.all('drain').length, 1);
    assert.deepEqual(await client.closed, { code: 1001, reason: 'shutting_down' });
  });
});
