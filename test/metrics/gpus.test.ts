import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createGpuReader, parseReadings } from '../../src/metrics/gpus.js';
import { createMetrics } from '../../src/metrics/metrics.js';

const MiB = 1024 * 1024;
/** What the driver prints for two GPUs, one without its utilisation. */
const printed = '0, 1234, 81559, 87\n1, 0, 81559, [N/A]\n';

describe('the readings of GPUs', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-gpus-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('are parsed', () => {
    assert.deepEqual(parseReadings(printed), [
      { gpu: '0', usedBytes: 1234 * MiB, totalBytes: 81_559 * MiB, utilization: 0.87 },
      { gpu: '1', usedBytes: 0, totalBytes: 81_559 * MiB, utilization: null },
    ]);
    assert.deepEqual(parseReadings('No devices were found\n'), []);
    assert.deepEqual(parseReadings(''), []);
  });

  it('become series', async () => {
    const { body } = await createMetrics(undefined, () => Promise.resolve(parseReadings(printed))).render();
    assert.match(body, /^millrace_gpu_memory_used_bytes\{gpu="0"\} 1293942784$/m);
    assert.match(body, /^millrace_gpu_memory_total_bytes\{gpu="1"\} 85520809984$/m);
    assert.match(body, /^millrace_gpu_utilization_ratio\{gpu="0"\} 0\.87$/m);
    assert.doesNotMatch(body, /^millrace_gpu_utilization_ratio\{gpu="1"\}/m);
  });

  it('are empty if the program is missing or fails', async () => {
    const read = createGpuReader(join(folder, 'none'));
    assert.deepEqual([await read(), await read()], [[], []]);
    const failing = join(folder, 'failing');
    await writeFile(failing, '#!/bin/sh\necho 0, 1, 2, 3\nexit 9\n');
    await chmod(failing, 0o755);
    assert.deepEqual(await createGpuReader(failing)(), []);
  });

  it('come from one call of the program', { skip: process.platform === 'win32' }, async () => {
    const program = join(folder, 'nvidia-smi');
    const calls = join(folder, 'calls');
    await writeFile(program, `#!/bin/sh\necho call >> ${calls}\nprintf "%s\\n" "3, 10, 20, 50"\n`);
    await chmod(program, 0o755);
    const read = createGpuReader(program);
    const expected = [{ gpu: '3', usedBytes: 10 * MiB, totalBytes: 20 * MiB, utilization: 0.5 }];
    assert.deepEqual(await Promise.all([read(), read(), read()]), [expected, expected, expected]);
    assert.equal(await readFile(calls, 'utf8'), 'call\n');
  });
});
