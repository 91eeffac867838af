import { workerData } from 'node:worker_threads';
import { InferenceSession, type OnnxValue } from 'onnxruntime-node';

// The engine's worker, which adds up the milliseconds that ONNX Runtime takes of its thread.
const { spent } = workerData as { readonly spent: SharedArrayBuffer };
const ms = new Float64Array(spent);

type Run = (...given: readonly unknown[]) => Promise<Readonly<Record<string, OnnxValue>>>;
const { prototype } = InferenceSession as unknown as { readonly prototype: { run: Run } };
const run = prototype.run;
prototype.run = async function (this: InferenceSession, ...given) {
  const start = performance.now();
  try {
    return await run.call(this, ...given);
  } finally {
    ms[0] += performance.now() - start;
  }
};
await import('../../../src/engine/worker/main.js');
