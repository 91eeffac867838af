import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { generate } from '../../../src/cli/run/generate.js';
import { ManualEngine } from '../../session/manual-engine.js';

const shades = [10, 20, 30];

function grey(shade: number) {
  return { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(shade) };
}

async function* frames() {
  for (const shade of shades) {
    await Promise.resolve();
    yield { image: grey(shade), time: 0, name: null };
  }
}

it('controls get pictures made from each frame of the input', async () => {
  const engine = new ManualEngine();
  const controls = [
    { name: 'tile', preprocessors: ['passthrough'], preprocessor: 'passthrough' },
    { name: 'edges', preprocessors: ['passthrough'], preprocessor: 'passthrough' },
    { name: 'depth', preprocessors: ['depth'], preprocessor: 'depth' },
  ];
  const on = { tile: { scale: 1 }, edges: { scale: 0 }, depth: { scale: 1 } };
  const parameters = { ...defaultParameters(), width: 64, height: 64, controls: on };
  const outputs = generate(engine, { parameters, controls }, frames(), {
    signal: new AbortController().signal,
  });
  let count = 0;
  const reading = (async () => {
    for await (const { image } of outputs) assert.equal(image.data[0], shades[count++]);
  })();
  const made: unknown[] = [];
  while (count < shades.length) {
    await new Promise(setImmediate);
    const [stream] = engine.streams;
    if (stream?.waiting) made.push(stream.waiting.controls);
    stream?.admit();
    stream?.finish();
  }
  await reading;
  assert.deepEqual(
    made,
    shades.map((shade) => ({ tile: grey(shade) })),
  );
});
