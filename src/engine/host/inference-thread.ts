import process from 'node:process';
import { Worker } from 'node:worker_threads';

/** Starts a thread that uses ONNX Runtime. */
export function startInferenceThread(file: URL, workerData?: unknown): Worker {
  // Else ONNX Runtime keeps a number of this device in the user's home and sends reports to its makers. It reads
  // the environment of the process, of which a thread has a copy: it must be set here.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  return new Worker(file, { workerData });
}
