import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeImage } from '../src/image/decode.js';
import { embeddedModel } from './support/engine.js';
import { findPython, noPython } from './support/python.js';
import { repositoryRoot } from './support/reference.js';
import { startServer, type TestServer } from './support/server.js';

const run = promisify(execFile);
const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8');

/** Returns the code block in this language that contains this word. */
function block(language: string, word: string): string {
  const blocks = readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'));
  const found = [...blocks].map(([, code = '']) => code).find((code) => code.includes(word));
  assert.ok(found, `the README has a block of ${language} with ${word}`);
  return found;
}

let server: TestServer;
let folder: string;
before(async () => {
  // Inside the repository, so that the examples can import its packages.
  folder = await mkdtemp(join(repositoryRoot, 'dist/readme-'));
  server = await startServer({ model: embeddedModel });
  await server.app.ready();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const env = (): NodeJS.ProcessEnv => ({ ...process.env, MILLRACE_URL: server.url });

async function assertImage(path: string): Promise<void> {
  const image = await decodeImage(await readFile(path), { maxPixels: 1e6 });
  assert.deepEqual([image.width, image.height], [256, 256]);
}

test('the Node.js example paints a picture', async () => {
  const code = block('js', 'stream.frames()').replaceAll(
    'test/fixtures',
    join(repositoryRoot, 'test/fixtures'),
  );
  await writeFile(join(folder, 'example.mjs'), code);
  const { stdout } = await run(process.execPath, ['example.mjs'], { cwd: folder, env: env() });
  assert.match(stdout, /^frame 0 took \d+ ms/);
  await assertImage(join(folder, 'painted.jpg'));
});

test('the Python example paints a picture', async (t) => {
  const python = await findPython();
  if (python === undefined) {
    t.skip(noPython);
    return;
  }
  const code = block('python', 'millrace.connect').replaceAll(
    'test/fixtures',
    join(repositoryRoot, 'test/fixtures'),
  );
  const { stdout } = await run(python.program, ['-c', code], {
    cwd: folder,
    env: { ...env(), ...python.env },
  });
  assert.match(stdout, /^frame 0 took \d+ ms/);
  await assertImage(join(folder, 'painted.jpg'));
});

test('the command for a video file writes a video', async () => {
  const command = block('sh', 'millrace -- run');
  const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  const args = words.slice(words.indexOf('--') + 1).map((word) => {
    return word.startsWith('test/fixtures') ? join(repositoryRoot, word) : word;
  });
  await run(process.execPath, [join(repositoryRoot, 'dist/src/cli/main.js'), ...args], { cwd: folder });
  assert.ok(existsSync(join(folder, 'painted.mp4')));
});

test('the request for a single image returns one', async () => {
  const form = new FormData();
  for (const [, name = '', value = ''] of block('sh', '/v1/generate').matchAll(
    /-F "?(\w+)=([^"]+?)(?="| -)/g,
  )) {
    if (value.startsWith('@'))
      form.append(name, new Blob([await readFile(join(repositoryRoot, value.slice(1)))]), 'f');
    else form.append(name, value);
  }
  assert.deepEqual([...form.keys()], ['image', 'prompt']);
  const answer = await fetch(`${server.url}/v1/generate`, { method: 'POST', body: form });
  assert.equal(answer.status, 200);
  await writeFile(join(folder, 'image.jpg'), new Uint8Array(await answer.arrayBuffer()));
  await assertImage(join(folder, 'image.jpg'));
});

test('all local links exist', () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = '']) => link);
  const local = links.filter((link) => !link.startsWith('http'));
  assert.ok(local.length > 10);
  const broken = local.filter((link) => !existsSync(join(repositoryRoot, link)));
  assert.deepEqual(broken, []);
});
