import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The current state of one GPU. */
export interface GpuReading {
  /** Number of the GPU, by the driver. */
  readonly gpu: string;
  readonly usedBytes: number;
  readonly totalBytes: number;
  /** Share of the last sampling period in which it was busy, 0 to 1; null if the driver does not report it. */
  readonly utilization: number | null;
}

const MiB = 1024 * 1024;
const query = ['--query-gpu=index,memory.used,memory.total,utilization.gpu', '--format=csv,noheader,nounits'];

/** Parses the output of `nvidia-smi` for the query; other lines are skipped. */
export function parseReadings(output: string): readonly GpuReading[] {
  return output.split('\n').flatMap((line) => {
    const [gpu = '', used, total, utilization] = line.split(',').map((field) => field.trim());
    const [usedBytes, totalBytes] = [Number(used) * MiB, Number(total) * MiB];
    if (!/^\d+$/.test(gpu) || !Number.isFinite(usedBytes) || !Number.isFinite(totalBytes)) return [];
    const percent = Number(utilization);
    return [{ gpu, usedBytes, totalBytes, utilization: Number.isFinite(percent) ? percent / 100 : null }];
  });
}

/** How long a reading is reused, in milliseconds: frequent requests must not start more programs. */
const freshMs = 2000;

/**
 * Returns a function that reads the GPUs of this machine with the driver's own program; once that is found missing, it
 * is not started again.
 * @param program for tests that have no GPU.
 */
export function createGpuReader(program = 'nvidia-smi'): () => Promise<readonly GpuReading[]> {
  let missing = false;
  let last: { readonly at: number; readonly readings: Promise<readonly GpuReading[]> } | null = null;
  const read = async (): Promise<readonly GpuReading[]> => {
    try {
      const { stdout } = await promisify(execFile)(program, query, { timeout: 2000 });
      return parseReadings(stdout);
    } catch (error) {
      missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      return [];
    }
  };
  return () => {
    const now = performance.now();
    if (last === null || (!missing && now - last.at >= freshMs)) last = { at: now, readings: read() };
    return last.readings;
  };
}
