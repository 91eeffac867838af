import assert from 'node:assert/strict';
import { once } from 'node:events';
import process from 'node:process';
import { afterEach, it } from 'node:test';
import { startInferenceThread } from '../../../src/engine/host/inference-thread.js';

const name = 'ORT_DISABLE_TELEMETRY';
const before = process.env[name];
afterEach(() => {
  if (before === undefined) delete process.env['ORT_DISABLE_TELEMETRY'];
  else process.env[name] = before;
});

/** A thread that reports its data, and whether its ONNX Runtime sends telemetry. */
const program = `
  const { parentPort, workerData } = await import('node:worker_threads');
  parentPort.postMessage([workerData, process.env.${name}]);`;
const file = new URL(`data:text/javascript,${encodeURIComponent(program)}`);

async function reportOf(data: unknown): Promise<unknown> {
  const [message] = (await once(startInferenceThread(file, data), 'message')) as unknown[];
  return message;
}

it('threads that use ONNX Runtime send no telemetry unless requested', async () => {
  delete process.env['ORT_DISABLE_TELEMETRY'];
  assert.deepEqual(await reportOf({ model: 'a' }), [{ model: 'a' }, '1']);
  assert.equal(process.env[name], '1', 'the library reads the environment of the process');
  process.env[name] = '0';
  assert.deepEqual(await reportOf(3), [3, '0']);
});
