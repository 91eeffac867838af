import process from 'node:process';
import { Worker } from 'node:worker_threads';

/** Starts a thread that uses ONNX Runtime. */
export function startInferenceThread(file: URL, workerData?: unknown): Worker {
  // Otherwise ONNX Runtime stores a device id in the user's home and sends telemetry to its makers. It reads the
  // environment of the process, of which a thread only has a copy: the variable must be set here.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  return new Worker(file, { workerData });
}
