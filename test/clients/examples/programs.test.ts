import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { after, before, test, type TestContext } from 'node:test';
import { decodeImage } from '../../../src/image/decode.js';
import { start, type Ended, type Started } from '../../support/command.js';
import { motionJpegFrames } from '../../support/frames.js';
import { findPython, noPython } from '../../support/python.js';
import { repositoryRoot } from '../../support/reference.js';
import { startServer, type TestServer } from '../../support/server.js';

const examples = join(repositoryRoot, 'clients/examples');
const standIns = join(repositoryRoot, 'test/clients/examples/stand-ins');
const clip = join(repositoryRoot, 'test/fixtures/videos/walkers.mjpeg');
const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');

let server: TestServer;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-examples-'));
  server = await startServer({ compat: ['demo'] });
  await server.app.ready();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Starts a Python program that finds the client and these stand-ins; null if there is no Python for it. */
async function startPython(
  t: TestContext,
  args: readonly string[],
  ...paths: string[]
): Promise<Started | null> {
  const python = await findPython();
  if (python === undefined) {
    t.skip(noPython);
    return null;
  }
  const PYTHONPATH = [python.env['PYTHONPATH'], ...paths].join(delimiter);
  return start(python.program, args, { MILLRACE_URL: server.url, PYTHONPATH });
}

/** Waits until a program has printed this. @throws {Error} if it ends before. */
async function printed({ child, ended }: Started, pattern: RegExp): Promise<RegExpExecArray> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = pattern.exec(output);
      if (found) resolve(found);
    });
    ended.then(({ stderr }) => reject(new Error(`it ended before: ${stderr}`)), reject);
  });
}

function succeeded({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

async function assertPicture(file: Uint8Array): Promise<void> {
  const { width, height } = await decodeImage(file, { maxPixels: 1e6 });
  assert.deepEqual([width, height], [64, 64]);
}

test('the Node.js bot paints the snapshots of a network camera', async () => {
  let snapshots = 0;
  const camera = createServer((_request, response) => {
    snapshots += 1;
    // A camera that fails once in a while.
    if (snapshots === 2) response.writeHead(503).end();
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture);
  }).listen(0, '127.0.0.1');
  await once(camera, 'listening');
  const { port } = camera.address() as AddressInfo;
  const out = join(folder, 'painted.jpg');
  const bot = start(
    process.execPath,
    [join(examples, 'node/bot.mjs'), `http://127.0.0.1:${port}/snapshot.jpg`, out, 'a fox'],
    { MILLRACE_URL: server.url, PAUSE_MS: '10' },
  );
  await printed(bot, /frame 1: \d+ ms/);
  bot.child.kill('SIGINT');
  const { stderr } = await bot.ended;
  assert.match(stderr, /the camera answered 503/);
  const { width } = await decodeImage(await readFile(out), { maxPixels: 1e6 });
  assert.ok(width >= 64);
  camera.close();
});

test('the Python example paints a Motion JPEG file where OpenCV is missing', async (t) => {
  const out = join(folder, 'painted.mjpeg');
  const missing = join(folder, 'without');
  await mkdir(missing);
  await writeFile(join(missing, 'cv2.py'), 'raise ImportError("this test has no OpenCV")\n');
  const run = await startPython(
    t,
    [join(examples, 'python/webcam.py'), clip, 'a fox', '--out', out, '--count', '4'],
    missing,
  );
  if (run === null) return;
  assert.equal(succeeded(await run.ended).match(/^frame \d+: \d+ ms$/gm)?.length, 4);
  const [, ...parts] = Buffer.from(await readFile(out))
    .toString('latin1')
    .split('\xff\xd8\xff');
  assert.equal(parts.length, 4);
  const asked = await startPython(t, [join(examples, 'python/webcam.py'), '0'], missing);
  assert.match((await asked?.ended)?.stderr ?? '', /without OpenCV, give a Motion JPEG file and --out/);
});

test('the Python example shows the results in a window with OpenCV', async (t) => {
  const run = await startPython(
    t,
    [join(examples, 'python/webcam.py'), clip, 'a fox', '--count', '3'],
    standIns,
  );
  if (run === null) return;
  const shown = succeeded(await run.ended).match(/^painted: \(\d+, \d+, 3\)$/gm);
  assert.equal(shown?.length, 3);
});

test('all cells of the notebook run', async (t) => {
  const notebook = JSON.parse(await readFile(join(examples, 'notebook/millrace.ipynb'), 'utf8')) as {
    readonly cells: readonly { readonly cell_type: string; readonly source: readonly string[] }[];
  };
  const code = notebook.cells.filter(({ cell_type: type }) => type === 'code');
  assert.equal(code.length, 5);
  const run = await startPython(t, ['-c', code.map(({ source }) => source.join('')).join('\n')], standIns);
  if (run === null) return;
  const output = succeeded(await run.ended);
  assert.deepEqual([output.match(/^shown/gm)?.length, output.match(/^updated/gm)?.length], [3, 16]);
});

test("TouchDesigner's callbacks paint a TOP", async (t) => {
  const file = join(folder, 'source.jpg');
  await writeFile(file, picture);
  const callbacks = join(examples, 'touchdesigner/callbacks.py');
  const run = await startPython(t, [join(standIns, 'touchdesigner.py'), callbacks, server.url, file, '5']);
  if (run === null) return;
  const [path] = await printed(run, /^\/api\/stream\/\S+$/m);
  const answer = await fetch(server.url + path);
  const stream = Buffer.from(await answer.arrayBuffer());
  succeeded(await run.ended);
  const start = stream.indexOf('\r\n\r\n') + 4;
  const length = Number(/Content-Length: (\d+)/.exec(stream.toString('latin1'))?.[1]);
  await assertPicture(new Uint8Array(stream.subarray(start, start + length)));
});

test('the Processing sketch paints its drawing', { timeout: 300_000 }, async (t) => {
  const java = await promisify(execFile)('java', ['--list-modules']).catch(() => null);
  if (java?.stdout.includes('jdk.compiler') !== true) {
    t.skip('no Java with a compiler found');
    return;
  }
  const sketch = await readFile(join(examples, 'processing/processing.pde'), 'utf8');
  const imports = sketch.match(/^import .*;$/gm) ?? [];
  const body = sketch
    .replaceAll(/^import .*;$/gm, '')
    .replace('127.0.0.1:8420', new URL(server.url).host)
    .replace('\\"oil painting\\"', '\\"a fox\\", \\"width\\": 64, \\"height\\": 64')
    // Processing makes them public where they override.
    .replaceAll(/^void (settings|setup|draw)\(/gm, '@Override void $1(');
  const main = 'public static void main(String[] args) throws Exception { run(new Sketch()); }';
  const standIn = await readFile(join(standIns, 'PApplet.java'), 'utf8');
  const file = join(folder, 'Sketch.java');
  await writeFile(
    file,
    `${imports.join('\n')}\npublic class Sketch extends PApplet {\n${main}\n${body}}\n${standIn}`,
  );
  const { child, ended } = start('java', [file]);
  t.after(() => child.kill());
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout.match(/^painted: 64x64$/gm)?.length, 3, stdout);
});
