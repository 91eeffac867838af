import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { openInput } from '../../../src/cli/run/open-input.js';
import { fetchInput } from '../../../src/cli/run/fetch-input.js';
import { Scratch } from '../../../src/cli/run/scratch.js';
import { tower } from '../../image/pictures.js';

const answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/tower.jpg': (_, response) => response.end(tower),
  '/private.jpg': (request, response) => {
    const basic = `Basic ${Buffer.from('ann:pä ss').toString('base64')}`;
    response.statusCode = request.headers.authorization === basic ? 200 : 401;
    response.end(tower);
  },
  '/live.m3u8': (_, response) => response.end('#EXTM3U'),
  '/list': (_, response) => response.setHeader('content-type', 'application/x-mpegURL').end('#EXTM3U'),
  '/ended.m3u8': (_, response) => response.end('#EXTM3U\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n'),
  '/variants.m3u8': (_, response) => response.end('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nended.m3u8\n'),
  '/static.mpd': (_, response) => response.end('<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'),
  '/endless.m3u8': (_, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write('#EXT-X-ANYTHING\n'.repeat(4096)));
    };
    response.on('drain', write);
    write();
  },
  '/percent.jpg': (request, response) => {
    const basic = `Basic ${Buffer.from(':50%').toString('base64')}`;
    response.statusCode = request.headers.authorization === basic ? 200 : 401;
    response.end(tower);
  },
  '/endless': (_, response) => response.write('a part'),
  '/cut.jpg': (_, response) => {
    response.setHeader('content-length', 1000).write('a part');
    setImmediate(() => response.destroy());
  },
};
const server = createServer((request, response) => {
  const answer = answers[request.url ?? ''];
  if (answer) answer(request, response);
  else response.writeHead(404).end();
}).listen(0, '127.0.0.1');
after(() => {
  server.close();
  server.closeAllConnections();
});
await new Promise((resolve) => server.once('listening', resolve));
const { port } = server.address() as AddressInfo;
const at = (path: string, user = ''): string => `http://${user}127.0.0.1:${port}${path}`;

describe('a file from the network', () => {
  it('is fetched, with the name and password of its address, and removed at the end', async () => {
    let file = '';
    {
      await using scratch = new Scratch();
      const found = await fetchInput(at('/private.jpg', 'ann:p%C3%A4%20ss@'), { scratch: scratch.folder });
      assert.ok('file' in found);
      ({ file } = found);
      assert.deepEqual(await readFile(file), Buffer.from(tower));
      assert.ok('file' in (await fetchInput(at('/percent.jpg', ':50%@'), { scratch: scratch.folder })));
    }
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  });

  it('is an input like other files, and named by its address', async () => {
    await using scratch = new Scratch();
    const ffmpeg = (): Promise<never> => Promise.reject(new Error('no video is read here'));
    const input = await openInput(at('/tower.jpg'), {
      ffmpeg,
      rate: { numerator: 25, denominator: 1 },
      scratch: scratch.folder,
    });
    assert.deepEqual([input.kind, input.path, input.isLive], ['image', at('/tower.jpg'), false]);
    for await (const { image } of input.frames()) assert.equal(image.width, 512);
  });

  it('is told from a stream: a playlist, which may have an end, or something without a length', async () => {
    await using scratch = new Scratch();
    const isLive: Readonly<Record<string, boolean>> = {
      '/live.m3u8': true,
      '/list': true,
      '/ended.m3u8': false,
      '/variants.m3u8': false,
      '/static.mpd': false,
      '/endless': true,
    };
    for (const [path, live] of Object.entries(isLive)) {
      assert.deepEqual(await fetchInput(at(path), { scratch: scratch.folder }), { isLive: live }, path);
    }
  });

  it('that cannot be fetched is named, without its password', async () => {
    await using scratch = new Scratch();
    const cases: readonly (readonly [string, RegExp])[] = [
      [at('/missing.mp4'), /missing\.mp4 cannot be fetched: the server answers with status 404/],
      [at('/private.jpg', 'ann:wrong@'), /http:\/\/ann:\*{3}@127\S+ cannot be fetched: .*status 401/],
      [at('/cut.jpg'), /cut\.jpg cannot be fetched to its end/],
      [at('/endless.m3u8'), /endless\.m3u8 is too long for a playlist/],
      ['http://127.0.0.1:1/a.mp4', /127\.0\.0\.1:1\/a\.mp4 cannot be fetched: /],
    ];
    for (const [url, message] of cases) {
      await assert.rejects(fetchInput(url, { scratch: scratch.folder }), { name: 'RunError', message });
    }
  });
});
