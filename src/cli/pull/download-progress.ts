import type { PullObserver } from '../../model/hub/pull-model.js';
import { Progress } from '../run/progress.js';

const BAR_WIDTH = 24;
const INTERVAL_MS = 100;

/** Shows how a download goes: a bar on a terminal, a line for each file elsewhere. */
export class DownloadProgress implements PullObserver, Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: Progress;
  #drawnAt = -Infinity;
  /** Where this run began, by performance.now() and bytes. */
  #start: { readonly at: number; readonly bytes: number } | null = null;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#bar = new Progress(stream);
  }

  onNote(text: string): void {
    this.#bar.say('');
    this.#stream.write(`${text}\n`);
  }

  onBytes(done: number, total: number, path: string): void {
    const now = performance.now();
    this.#start ??= { at: now, bytes: done };
    if (now - this.#drawnAt < INTERVAL_MS) return;
    this.#drawnAt = now;
    const perSecond = ((done - this.#start.bytes) / Math.max(1, now - this.#start.at)) * 1000;
    this.#bar.say(downloadLine({ done, total, perSecond, path }));
  }

  onFile(path: string, bytes: number): void {
    if (!this.#stream.isTTY) this.#stream.write(`${path} (${formatBytes(bytes)})\n`);
  }

  [Symbol.dispose](): void {
    this.#bar[Symbol.dispose]();
  }
}

/** Bar, bytes, speed, time left and file, as in `[####----] 0.5/1.0 GB  20.0 MB/s  0:25 left  unet/model.onnx`. */
export function downloadLine(state: {
  readonly done: number;
  readonly total: number;
  readonly perSecond: number;
  readonly path: string;
}): string {
  const { done, total, perSecond, path } = state;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const bar = '#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '-');
  const [unit, name] = unitOf(total);
  const amount = `${(done / unit).toFixed(1)}/${(total / unit).toFixed(1)} ${name}`;
  const seconds = perSecond > 0 ? Math.ceil(Math.max(0, total - done) / perSecond) : null;
  const clock =
    seconds === null ? '' : `  ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`;
  return `[${bar}] ${amount}  ${formatBytes(perSecond)}/s${clock}  ${path}`;
}

function formatBytes(bytes: number): string {
  const [unit, name] = unitOf(bytes);
  return `${(bytes / unit).toFixed(unit === 1 ? 0 : 1)} ${name}`;
}

function unitOf(bytes: number): readonly [size: number, name: string] {
  if (bytes >= 1e9) return [1e9, 'GB'];
  if (bytes >= 1e6) return [1e6, 'MB'];
  return bytes >= 1e3 ? [1e3, 'kB'] : [1, 'B'];
}
