import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeImage } from '../../../src/image/decode.js';
import { sniffFormat } from '../../../src/image/format.js';
import { startServer, type TestServer } from '../../support/server.js';
import { accessToken, jwtSecret } from './token.js';

const small = { prompt: 'a fox', model: 'any', n: 1, size: '64x64', response_format: 'b64_json', seed: 3 };

interface Answer {
  readonly data: readonly { readonly b64_json: string }[];
  readonly error: { readonly code: string; readonly param: string | null; readonly message: string };
}

describe("OpenAI's images", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ compat: ['sglang'] });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  const post = async (
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
    url = server.url,
  ): Promise<Response> =>
    fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('are generated from a prompt, the same for the same seed, in the format that is asked for', async () => {
    const files: Uint8Array[] = [];
    for (const [more, format] of [
      [{}, 'png'],
      [{}, 'png'],
      [{ output_format: 'webp', quality: 'high' }, 'webp'],
      [{ output_format: 'jpeg', output_compression: 60 }, 'jpeg'],
    ] as const) {
      const answer = await post({ ...small, ...more });
      assert.equal(answer.status, 200, answer.status === 200 ? '' : await answer.clone().text());
      const { data } = (await answer.json()) as Answer;
      const file = new Uint8Array(Buffer.from(data[0]?.b64_json ?? '', 'base64'));
      assert.equal(sniffFormat(file), format);
      files.push(file);
      const { width, height } = await decodeImage(file, { maxPixels: 1e6 });
      assert.deepEqual([data.length, width, height], [1, 64, 64]);
    }
    assert.deepEqual(files[0], files[1]);
  });

  it('are refused in the form of the API', async () => {
    for (const [body, status, code, param] of [
      [[], 400, 'invalid_message', null],
      [{ ...small, n: 2 }, 400, 'invalid_parameter', 'n'],
      [{ ...small, size: 'big' }, 400, 'invalid_parameter', 'size'],
      [{ ...small, size: '70x64' }, 400, 'invalid_parameter', 'width'],
      [{ ...small, response_format: 'url' }, 400, 'invalid_parameter', 'response_format'],
      [{ ...small, output_format: 'gif' }, 400, 'invalid_parameter', 'output_format'],
      [{ ...small, stream: true }, 400, 'invalid_parameter', 'stream'],
      [{ ...small, num_inference_steps: 99 }, 400, 'invalid_parameter', 'steps'],
    ] as const) {
      const answer = await post(body);
      const { error } = (await answer.json()) as Answer;
      assert.deepEqual([answer.status, error.code, error.param], [status, code, param], error.message);
    }
    const foreign = await post(small, { origin: 'https://elsewhere.example' });
    assert.deepEqual(
      [foreign.status, ((await foreign.json()) as Answer).error.code],
      [403, 'forbidden_origin'],
    );
  });

  it('need a token where sessions need one', async () => {
    await using guarded = await startServer({ compat: ['sglang'], jwtSecret });
    await guarded.app.ready();
    const refused = await post(small, {}, guarded.url);
    assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer']);
    const authorization = `Bearer ${await accessToken()}`;
    assert.equal((await post(small, { authorization }, guarded.url)).status, 200);
  });
});
