import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineOptions } from '../../src/engine/host/supervisor.js';
import { readModelFolder } from '../../src/model/folder.js';
import { drawOnce, embeddedModel, startEngine, tinyModel, tinyParameters } from '../support/engine.js';

const parts = ['unet', 'vae_encoder', 'vae_decoder'] as const;

/** Copies the tiny model, with its graphs as 8-bit graphs too. */
async function modelWithInt8(folder: string): Promise<string> {
  const model = join(folder, 'model');
  await cp(tinyModel, model, { recursive: true });
  for (const part of parts) await cp(join(model, part, 'model.onnx'), join(model, part, 'model_int8.onnx'));
  return model;
}

/** Changes the weights of the decoder's last block, so that it draws something else. */
async function disturb(file: string): Promise<void> {
  const bytes = await readFile(file);
  const name = 'm.decoder.layers.11.conv.4.weight';
  // TensorProto: the name is followed by the tag of raw_data and its length.
  const length = 16 * 4 * 9 * 4;
  const head = Buffer.concat([Buffer.from(name), Buffer.of(0x4a, 0x80 | (length & 0x7f), length >> 7)]);
  const start = bytes.indexOf(head) + head.length;
  assert.ok(start >= head.length, `no weights of ${name}`);
  for (let at = start; at < start + length; at += 4) bytes.writeFloatLE(3 * Math.sin(at), at);
  await writeFile(file, bytes);
}

async function draw(
  model: string,
  options: Partial<EngineOptions>,
  parameters = tinyParameters({ t_index_list: [32] }),
): Promise<[Uint8Array, readonly string[]]> {
  await using run = await startEngine(model, options);
  return [await drawOnce(run.engine, parameters), run.notes.filter((note) => note.startsWith('computing'))];
}

test('8-bit graphs run if requested, and if auto finds that they draw the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-precision-'));
  t.after(() => rm(folder, { recursive: true }));
  const model = await modelWithInt8(folder);
  const { layout, int8 } = await readModelFolder(model);
  assert.ok(int8);
  assert.notEqual(int8.unet.graph.file, layout.unet.graph.file);

  const [plain, noNotes] = await draw(model, { precision: 'float' });
  assert.deepEqual(noNotes, []);
  const [asked, notes] = await draw(model, { precision: 'int8' });
  assert.deepEqual(notes, ['computing in 8 bits, as requested']);
  assert.deepEqual(asked, plain);

  // The graphs are equal, so either may be faster; both are measured.
  const [, [measured = '']] = await draw(model, {});
  assert.match(
    measured,
    /^computing in (8 bits|floats): a frame takes [\d.]+ ms in 8 bits and [\d.]+ ms in floats \(measured now\)$/,
  );

  await disturb(join(model, 'vae_decoder/model_int8.onnx'));
  const [wrong] = await draw(model, { precision: 'int8' });
  assert.notDeepEqual(wrong, plain);
  const cacheDirectory = join(folder, 'cache');
  const refused = 'computing in floats: 8 bits give different pictures on this CPU (measured now)';
  assert.deepEqual(await draw(model, { cacheDirectory }), [plain, [refused]]);
  const kept = (await readdir(cacheDirectory)).find((name) => name.startsWith('precision-')) ?? '';
  const comparison = JSON.parse(await readFile(join(cacheDirectory, kept), 'utf8')) as { decibels: number };
  assert.ok(comparison.decibels < 26);
  // The next start uses the kept comparison; an invalid file is measured again.
  await writeFile(join(cacheDirectory, kept), JSON.stringify({ floatMs: 2, int8Ms: 1, decibels: 40 }));
  const [remembered, [because = '']] = await draw(model, { cacheDirectory, calibration: 'kept' });
  assert.match(
    because,
    /^computing in 8 bits: a frame takes 1\.00 ms in 8 bits and 2\.00 ms in floats \(kept from /,
  );
  assert.deepEqual(remembered, wrong);
  for (const damaged of ['{"floatMs": 2', '{"floatMs": 2, "int8Ms": 1}']) {
    await writeFile(join(cacheDirectory, kept), damaged);
    assert.deepEqual(await draw(model, { cacheDirectory }), [plain, [refused]]);
  }
});

test('8 bits are refused with a reason if unavailable', async (t) => {
  await assert.rejects(
    startEngine(tinyModel, { precision: 'int8' }),
    /the model has no 8-bit graphs; set precision/,
  );
  const folder = await mkdtemp(join(tmpdir(), 'millrace-precision-'));
  t.after(() => rm(folder, { recursive: true }));
  const model = await modelWithInt8(folder);
  await cp(join(model, 'vae_encoder/model.onnx'), join(model, 'unet/model_int8.onnx'));
  await assert.rejects(
    readModelFolder(model),
    /unet.model_int8\.onnx: has other inputs or outputs than .*model\.onnx/,
  );
});

test('the embedded model draws nearly the same in 8 bits as in floats', async () => {
  const parameters = tinyParameters({
    width: 128,
    height: 128,
    prompt: 'watercolor painting',
    t_index_list: [25],
  });
  const drawn: Uint8Array[] = [];
  for (const precision of ['float', 'int8'] as const)
    drawn.push((await draw(embeddedModel, { precision }, parameters))[0]);
  const [floats, bytes] = drawn;
  assert.ok(floats && bytes);
  assert.notDeepEqual(bytes, floats);
  const error = floats.reduce((sum, value, i) => sum + (value - (bytes[i] ?? 0)) ** 2, 0) / floats.length;
  assert.ok(10 * Math.log10(255 ** 2 / error) > 30, `mean squared error ${error}`);
});
