import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it, mock } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { DeviceError, parseDevice } from '../../../../src/engine/device.js';
import { placePart, type PartUse, type Placed } from '../../../../src/engine/worker/networks/place-part.js';
import { onnxGraph } from '../../../support/onnx-graph.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'model.onnx');
await writeFile(file, onnxGraph({ inputs: [], outputs: [] }));

const notes: string[] = [];
/** What happens to sessions, by the device that they are for. */
const events: string[] = [];

afterEach(() => {
  mock.restoreAll();
  notes.length = 0;
  events.length = 0;
});

/** Makes sessions that fail on these devices: when they are created, or when they run. */
function pretend(failing: { readonly create?: readonly string[]; readonly run?: readonly string[] }): void {
  mock.method(InferenceSession, 'create', (_: string, options: InferenceSession.SessionOptions) => {
    const [first] = options.executionProviders ?? [];
    const device = typeof first === 'string' ? first : '';
    events.push(`create ${device}`);
    if (failing.create?.includes(device)) return Promise.reject(new Error(`no room\n  on ${device}`));
    return Promise.resolve({
      run() {
        events.push(`run ${device}`);
        if (failing.run?.includes(device)) return Promise.reject(new Error(`needs f16\n  of ${device}`));
        return Promise.resolve({});
      },
      release() {
        events.push(`release ${device}`);
        return Promise.resolve();
      },
    });
  });
}

function place(device: string, use: Partial<PartUse<string>> = {}): Promise<Placed<string>> {
  const runOnce: PartUse<string>['make'] = async (part) => {
    const port = { name: 'out', type: 'float32', shape: [] } as const;
    await part.run([], port, [1]);
    return 'made';
  };
  const options = {
    device: parseDevice(device),
    threads: 1,
    cacheDirectory: null,
    onNote: (text: string): void => void notes.push(text),
  };
  return placePart('text encoder', file, options, { make: runOnce, ...use });
}

describe('a network', () => {
  it('that the device runs stays there', async () => {
    pretend({});
    assert.equal((await place('webgpu')).made, 'made');
    assert.deepEqual([events, notes], [['create webgpu', 'run webgpu'], []]);
  });

  it('that fails when it first runs on the device goes to the CPU, with a note that says why', async () => {
    pretend({ run: ['webgpu'] });
    assert.equal((await place('webgpu')).made, 'made');
    assert.deepEqual(events, ['create webgpu', 'run webgpu', 'release webgpu', 'create cpu', 'run cpu']);
    assert.deepEqual(notes, [
      'the text encoder runs on the CPU, since webgpu cannot run it: needs f16 of webgpu; if that is too slow, ' +
        'export it in another form, such as float32, or choose another device',
    ]);
  });

  it('that cannot be loaded on the device goes there too', async () => {
    pretend({ create: ['webgpu'] });
    assert.equal((await place('webgpu')).made, 'made');
    assert.match(notes.join(), /webgpu cannot run it: \S+model\.onnx: cannot be loaded: no room on webgpu; /);
  });

  it('that fails in its trial goes there too, and is not tried before its first run on the CPU alone', async () => {
    pretend({});
    let trials = 0;
    const failing = (): Promise<void> =>
      ++trials === 1 ? Promise.reject(new Error('lost')) : Promise.resolve();
    await place('webgpu', { trial: failing });
    assert.match(notes.join(), /cannot run it: lost; /);
    assert.equal(trials, 2);
    await place('cpu', { trial: failing });
    assert.equal(trials, 2);
  });

  it('that fails on the CPU as well is the fault of the model', async () => {
    pretend({ run: ['webgpu', 'cpu'] });
    await assert.rejects(place('webgpu'), /needs f16\s+of cpu/);
    assert.deepEqual(notes, []);
    assert.equal(events.filter((event) => event.startsWith('release')).length, 2);
  });

  it('that is too large for the CPU is refused with the device, the reason and what to do', async () => {
    pretend({ run: ['webgpu'] });
    await assert.rejects(place('webgpu', { isTooLarge: true }), (error) => {
      assert.ok(error instanceof DeviceError);
      assert.equal(
        error.message,
        'device webgpu cannot run the text encoder: needs f16 of webgpu; export it in another form, such as ' +
          'float32, or choose another device',
      );
      return true;
    });
    assert.deepEqual([events.at(-1), notes], ['release cpu', []]);
  });
});
