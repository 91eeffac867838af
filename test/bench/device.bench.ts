import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { DeviceError, deviceName, parseDevice } from '../../src/engine/device.js';
import { chooseDevice, surroundings } from '../../src/engine/worker/devices/providers.js';
import { usualSize } from '../../src/engine/worker/networks/sizes.js';
import { readModelFolder } from '../../src/model/folder.js';
import { version } from '../../src/package.js';
import { measureDevice } from './device/measure.js';
import { prepareModel } from './device/model.js';
import { deviceOptions, scales } from './device/options.js';
import { Progress } from './device/progress.js';
import { renderDevice } from './device/tables.js';

/**
 * SD-Turbo's true size on a GPU, with random weights: `npm run bench -- device`. Prints the table of the paper (one
 * user, 512x512, 1, 2 and 4 steps) beside torch on the same device, and that of 1 to 32 users of one server.
 *
 * `PYTHON` names a Python with the packages of ops/export, and with torch for the device. The first run makes the
 * model, which takes some minutes and no GPU (`--prepare` does only that); measuring takes 5 minutes on a GPU. Results
 * are written to a file after each measurement. A run that is cut is continued by the next one, unless it says `--fresh`.
 */
const options = deviceOptions(process.argv.slice(2));
const asked = parseDevice(options.device);
// A child that outlives this process would occupy the device.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** @returns why nothing was measured; null if something was. */
async function run(): Promise<string | null> {
  const { size, minutes, isFresh, onlyPrepares } = options;
  const device = onlyPrepares ? asked : (await chooseDevice(asked, surroundings())).device;
  const model = await prepareModel(options, device);
  if ('missing' in model) return model.missing;
  if (onlyPrepares) return `--prepare: the model is in ${model.folder}`;
  const { width: side } = usualSize(await readModelFolder(model.exported));
  const threads = availableParallelism();
  const name = deviceName(device);
  const facts = {
    benchmark: 'device',
    version,
    size,
    device: name,
    side,
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} cores, Node ${process.version}`,
    ...scales[size],
  };
  const file = join(model.folder, `results-${name.replace(':', '-')}.json`);
  const progress = await Progress.open(file, facts, { minutes, isFresh });
  if (progress.kept > 0)
    console.log(`Continues the run in ${file}: ${progress.kept} measurements are known.`);
  const results = await measureDevice({ model, device, threads, side }, scales[size], progress);
  await progress.finish();
  console.log(`\ndevice ${name}, SD-Turbo (${size}), ${side}x${side} (${facts.machine})\n`);
  console.log(renderDevice(results));
  console.log(`Results: ${file}`);
  if (progress.left > 0) {
    console.log(
      `${progress.left} measurements did not begin within ${minutes} minutes; run this again for them.`,
    );
  }
  console.log(JSON.stringify({ ...facts, results }));
  return null;
}

const reason = await run().catch((error: unknown) => {
  if (error instanceof DeviceError) return error.message;
  throw error;
});
if (reason !== null) console.log(`\ndevice: not measured. ${reason}`);
