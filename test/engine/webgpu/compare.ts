// Computes the same with each network of the tiny model on the CPU and on WebGPU, and prints as JSON the notes of the
// load and the largest difference of each network.
import { readModelFolder } from '../../../src/model/folder.js';
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { usualSize } from '../../../src/engine/worker/networks/sizes.js';
import { blankRow } from '../../../src/engine/worker/networks/unet.js';
import { testImage, tinyModel } from '../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const size = usualSize(folder);
const notes: string[] = [];

async function compute(provider: 'cpu' | 'webgpu'): Promise<Readonly<Record<string, Float32Array>>> {
  const onNote = (text: string): void => void notes.push(text);
  await using runtime = await ModelRuntime.load(folder, {
    threads: 1,
    device: { provider, index: 0 },
    onNote,
  });
  const shape = runtime.latentShape(size);
  const { encoder_hidden_states: text } = await runtime.embed('a fox in the snow');
  const latent = (await runtime.encode(testImage(0, size).data, size)).slice();
  const row = {
    ...blankRow(folder, shape, 500),
    input: latent,
    conditioning: { encoder_hidden_states: text },
  };
  const [first, second] = await runtime.predict(
    [row, { ...row, input: latent.map((value) => -value) }],
    shape,
  );
  const predictions = Float32Array.of(...(first ?? []), ...(second ?? []));
  const planes = (await runtime.decodePlanes(latent, size)).slice();
  return { text, latent, predictions, planes };
}

const onCpu = await compute('cpu');
const onGpu = await compute('webgpu');
const differences = Object.entries(onCpu).map(([name, values]) => {
  const differs = values.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (onGpu[name]?.[i] ?? NaN))),
    0,
  );
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return [name, differs / largest] as const;
});
process.stdout.write(JSON.stringify({ notes, differences: Object.fromEntries(differences) }));
