import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { settingsTable } from '../../src/settings/settings-table.js';
import { start } from '../support/command.js';
import { findPython, noPython } from '../support/python.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';

const guide = await readFile(join(repositoryRoot, 'ops/docs/programs.md'), 'utf8');

/** Returns the code blocks in this language. */
function blocks(language: string): readonly string[] {
  const found = guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'));
  return [...found].map(([, code = '']) => code);
}

let server: TestServer;
let folder: string;
before(async () => {
  // Inside the repository, so that the examples can import its packages.
  folder = await mkdtemp(join(repositoryRoot, 'dist/programs-'));
  await copyFile(join(repositoryRoot, 'test/fixtures/images/tower.jpg'), join(folder, 'tower.jpg'));
  server = await startServer({ compat: settingsTable.compat.choices, maxCallSeconds: 0 });
  await server.app.ready();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test("fal's client paints a picture through the WebSocket of the guide", async () => {
  const [code = ''] = blocks('js');
  const program = join(folder, 'fal.mjs');
  await writeFile(
    program,
    code.replaceAll(/'(tower|painted)\.jpg'/g, (_, name) => `'${folder}/${name}.jpg'`),
  );
  const {
    stdout,
    stderr,
    code: status,
  } = await start(process.execPath, [program], {
    MILLRACE_URL: server.url,
  }).ended;
  assert.match(stdout, /^painted in \d+ ms$/m, stderr);
  assert.equal(status, 0);
  await decodeImage(await readFile(join(folder, 'painted.jpg')), { maxPixels: 1e6 });
});

test('the Python program gets chunks from the realtime video', async (t) => {
  const python = await findPython();
  if (python === undefined) {
    t.skip(noPython);
    return;
  }
  const [code = ''] = blocks('python');
  const own = code.replace('"tower.jpg"', JSON.stringify(join(folder, 'tower.jpg')));
  const { stdout, stderr } = await start(python.program, ['-c', own], { MILLRACE_URL: server.url }).ended;
  assert.deepEqual(
    stdout.match(/^chunk \d 4 frames/gm),
    ['chunk 0 4 frames', 'chunk 1 4 frames', 'chunk 2 4 frames'],
    stderr,
  );
});

test('the addresses that commands and the table name answer', async () => {
  const commands = [...guide.matchAll(/^curl http:\/\/127\.0\.0\.1:8420(\S+)$/gm)].map(
    ([, path = '']) => path,
  );
  assert.deepEqual(commands, ['/api/settings', '/api/queue']);
  for (const path of [...commands, '/v1/models', '/health']) {
    assert.ok(guide.includes(path));
    assert.equal((await fetch(server.url + path)).status, 200, path);
  }
});

test('the guide names every protocol, and no other', () => {
  const named = [...guide.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  assert.deepEqual(named, [...settingsTable.compat.choices]);
  assert.ok(guide.includes(`--compat ${settingsTable.compat.choices.join(',')}\n`));
});

test("AIPerf's request is answered as it expects", async () => {
  const command = blocks('sh').find((code) => code.startsWith('aiperf')) ?? '';
  const extra = [...command.matchAll(/--extra-inputs (\w+):(\S+)/g)].map(([, name, value]) => [name, value]);
  const body: object = {
    prompt: 'a fox',
    model: 'millrace',
    response_format: 'b64_json',
    n: 1,
    ...(Object.fromEntries(extra) as object),
    size: '64x64',
  };
  const answer = await fetch(`${server.url}/v1/images/generations`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const { data } = (await answer.json()) as { readonly data: readonly { readonly b64_json: string }[] };
  const file = new Uint8Array(Buffer.from(data[0]?.b64_json ?? '', 'base64'));
  const { width } = await decodeImage(file, { maxPixels: 1e6 });
  assert.equal(width, 64);
});
