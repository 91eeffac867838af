import { readModelFolder } from '../../src/model/folder.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { embeddedModel } from '../support/engine.js';
import { report } from './report.js';
import { exportModel } from './steered/model.js';
import { vaeFigures } from './vae/calls.js';

/**
 * What pictures of several users cost that are encoded and decoded in one call: `npm run bench -- vae`. With a Python
 * that has the packages of ops/export, also for a TAESD.
 */
const threads = 2;
const counts = [1, 4, 16];

async function measure(name: string, model: string, side: number): Promise<void> {
  const folder = await readModelFolder(model);
  await using runtime = await ModelRuntime.load(
    { ...folder, layout: folder.int8 ?? folder.layout },
    { threads },
  );
  report(`vae, ${name}, ${side}x${side}`, await vaeFigures(runtime, { side, counts, rounds: 7 }));
}

await measure('the embedded model', embeddedModel, 256);
const exported = await exportModel(80);
if ('missing' in exported) console.log(`\nvae, TAESD: not measured. ${exported.missing}`);
else await measure('TAESD', exported.folder, 256);
