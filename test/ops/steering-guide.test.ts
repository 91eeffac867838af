import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parameterSchemas } from '@millrace/protocol';
import { decodeImage } from '../../src/image/decode.js';
import { preprocessorNames } from '../../src/image/preprocess/preprocessors.js';
import type { SteeredConfig } from '../../src/model/steered-config.js';
import { findPython, noPython } from '../support/python.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { steeredModel } from '../support/steered-model.js';

const run = promisify(execFile);
const guide = await readFile(join(repositoryRoot, 'ops/docs/steering.md'), 'utf8');
const picture = join(repositoryRoot, 'test/fixtures/images/tower.jpg');

/** Returns the code block in this language that contains this word, with the files of the tests. */
function block(language: string, word: string): string {
  const blocks = guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'));
  const found = [...blocks].map(([, code = '']) => code).find((code) => code.includes(word));
  assert.ok(found, `the guide has a block of ${language} with ${word}`);
  return found.replaceAll(/frame\.jpg|depth\.png|video\.mp4|style\.jpg/g, picture);
}

/** Gives two controls of the model the names that the guide uses. */
async function nameControls(model: string): Promise<void> {
  const path = join(model, 'unet_steered/config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as SteeredConfig;
  const names = ['canny', 'depth'];
  for (const [i, name] of names.entries()) {
    await rename(join(model, 'controls', config.controls[i].name), join(model, 'controls', name));
  }
  const controls = config.controls.map((control, i) => ({
    ...control,
    name: names[i] ?? control.name,
    preprocessor: i === 0 ? 'canny' : null,
  }));
  await rm(path);
  await writeFile(path, JSON.stringify({ ...config, controls }));
}

const model = await steeredModel('all');
let server: TestServer;
let folder: string;
before(async () => {
  await nameControls(model);
  // Inside the repository, so that the examples can import its packages.
  folder = await mkdtemp(join(repositoryRoot, 'dist/guide-'));
  server = await startServer({ model });
  await server.app.ready();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function assertPainted(): Promise<void> {
  const path = join(folder, 'painted.jpg');
  const { width } = await decodeImage(await readFile(path), { maxPixels: 1e6 });
  assert.ok(width > 0);
  await rm(path);
}

test('the exporter has all options of the guide', async () => {
  const options = await readFile(join(repositoryRoot, 'ops/export/millrace_export/cli.py'), 'utf8');
  const used: readonly string[] = block('sh', 'millrace_export').match(/(?<= )--?[a-z][a-z0-9-]*/g) ?? [];
  assert.ok(used.includes('--controlnet') && used.includes('--attention-bank'));
  for (const option of used.filter((each) => !['-m', '-r'].includes(each))) {
    assert.ok(options.includes(`"${option}"`), option);
  }
});

test('the Node.js example of the guide paints a picture', async () => {
  await writeFile(join(folder, 'example.mjs'), block('js', 'stream.frames()'));
  const env = { ...process.env, MILLRACE_URL: server.url };
  await run(process.execPath, ['example.mjs'], { cwd: folder, env });
  await assertPainted();
  assert.ok(existsSync(join(folder, 'edges.jpg')), 'the preview of a control');
});

test('the Python example of the guide paints a picture', async (t) => {
  const python = await findPython();
  if (python === undefined) {
    t.skip(noPython);
    return;
  }
  const env = { ...process.env, MILLRACE_URL: server.url, ...python.env };
  await run(python.program, ['-c', block('python', 'millrace.connect')], { cwd: folder, env });
  await assertPainted();
});

for (const option of ['--control', '--style-image']) {
  test(`the command of the guide with ${option} paints`, async () => {
    const command = block('sh', `${option} `).replace('painted.mp4', 'painted.jpg');
    const words = [...command.matchAll(/"([^"]*)"|([^\s\\]+)/g)].map(
      ([, quoted, word]) => quoted ?? word ?? '',
    );
    const args = words.slice(words.indexOf('--') + 1).map((word) => (word.startsWith('~') ? model : word));
    assert.equal(args[0], 'run');
    await run(process.execPath, [join(repositoryRoot, 'dist/src/cli/main.js'), ...args], { cwd: folder });
    await assertPainted();
  });
}

test('the guide links to sections that exist, and names built-in preprocessors and parameters that exist', async () => {
  for (const [, file = '', section = ''] of guide.matchAll(/\]\((\w+\.md)#([\w-]+)\)/g)) {
    const text = await readFile(join(repositoryRoot, 'ops/docs', file), 'utf8');
    const sections = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    );
    assert.ok(sections.includes(section), `${file}#${section}`);
  }
  for (const name of preprocessorNames) assert.ok(guide.includes(`\`${name}\``), name);
  for (const [, name = ''] of guide.matchAll(
    /`((?:mask|control|ip_adapter|attention_bank)_[a-z_]*[a-z])`/g,
  )) {
    assert.ok(name in parameterSchemas, name);
  }
});
