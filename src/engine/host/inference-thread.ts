import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { withinTime } from '../within-time.js';

/** Threads that have not ended. */
const threads = new Set<Worker>();

/** Waits until all threads that use ONNX Runtime have ended. @returns false if some have not in this time. */
export async function inferenceThreadsEnd(timeoutMs: number): Promise<boolean> {
  const ends = [...threads].map((thread) => new Promise((resolve) => thread.once('exit', resolve)));
  // Abandoned threads do not keep the process alive; the timer does.
  await withinTime(Promise.all(ends), timeoutMs);
  return threads.size === 0;
}

/** Starts a thread that uses ONNX Runtime. It must never be terminated: in a call, that aborts the process. */
export function startInferenceThread(file: URL, workerData?: unknown): Worker {
  // Otherwise ONNX Runtime stores a device id in the user's home and sends telemetry to its makers. It reads the
  // environment of the process, of which a thread only has a copy: the variable must be set here.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  const worker = new Worker(file, { workerData });
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
  return worker;
}
