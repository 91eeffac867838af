// Computes the same with each network of a model on the CPU and on WebGPU, and prints as JSON the notes of the load and
// the largest difference of each network, as a share of its largest value.
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { usualSize } from '../../../src/engine/worker/networks/sizes.js';
import { blankRow } from '../../../src/engine/worker/networks/unet.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { testImage } from '../../support/engine.js';

const [, , model = ''] = process.argv;
const folder = await readModelFolder(model);
const size = usualSize(folder);
const notes: string[] = [];

async function compute(provider: 'cpu' | 'webgpu'): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  await using runtime = await ModelRuntime.load(folder, {
    threads: 1,
    device: { provider, index: 0 },
    onNote: (text) => void notes.push(text),
  });
  const shape = runtime.latentShape(size);
  const { encoder_hidden_states: text } = await runtime.embed('a fox in the snow');
  const latent = (await runtime.encodeOne(testImage(0, size).data, size)).slice();
  const row = {
    ...blankRow(folder, shape, 500),
    input: latent,
    conditioning: { encoder_hidden_states: text },
  };
  const rows = [row, { ...row, input: latent.map((value) => -value) }];
  const predictions = (await runtime.predict(rows, shape)).flatMap((values) => Array.from(values));
  const pixels = new Uint8ClampedArray(3 * size.width * size.height);
  await runtime.decodeOne(latent, size, pixels);
  return { text, latent, predictions, pixels };
}

const onCpu = await compute('cpu');
const onGpu = await compute('webgpu');
const differences = Object.entries(onCpu).map(([name, expected]) => {
  const values = Array.from(expected);
  const differs = values.map((value, i) => Math.abs(value - (onGpu[name]?.[i] ?? NaN)));
  const most = (of: readonly number[]): number => of.reduce((a, b) => Math.max(a, b), 0);
  return [name, most(differs) / most(values.map(Math.abs))] as const;
});
process.stdout.write(JSON.stringify({ notes, differences: Object.fromEntries(differences) }));
