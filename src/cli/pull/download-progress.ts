import { amount, unitOf } from '../../model/hub/amount.js';
import type { PullObserver } from '../../model/hub/snapshot-fill.js';
import { Progress } from '../run/progress.js';

const barWidth = 24;
const intervalMs = 100;
/** Fewer characters of a file name are not worth showing. */
const leastNameLength = 12;

/** Shows the progress of a download: a bar on a terminal, a line for each file elsewhere. */
export class DownloadProgress implements PullObserver, Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: Progress;
  #drawnAt = -Infinity;
  /** The start of this run, by performance.now() and bytes. */
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
    if (now - this.#drawnAt < intervalMs) return;
    this.#drawnAt = now;
    const perSecond = ((done - this.#start.bytes) / Math.max(1, now - this.#start.at)) * 1000;
    this.#bar.say(downloadLine({ done, total, perSecond, path }, (this.#stream.columns || 80) - 1));
  }

  onFile(path: string, bytes: number): void {
    if (!this.#stream.isTTY) this.#stream.write(`${path} (${amount(bytes)})\n`);
  }

  [Symbol.dispose](): void {
    this.#bar[Symbol.dispose]();
  }
}

/**
 * Returns bar, bytes, speed, time left and file, as in
 * `[####----] 0.5/1.0 GB  20.0 MB/s  0:25 left  unet/model.onnx`, in at most `width` columns; a long path loses its
 * beginning.
 */
export function downloadLine(
  state: {
    readonly done: number;
    readonly total: number;
    readonly perSecond: number;
    readonly path: string;
  },
  width: number,
): string {
  const { done, total, perSecond, path } = state;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const bar = '#'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '-');
  const { size, name } = unitOf(total);
  const bytes = `${(done / size).toFixed(1)}/${(total / size).toFixed(1)} ${name}`;
  const seconds = perSecond > 0 ? Math.ceil(Math.max(0, total - done) / perSecond) : null;
  const clock =
    seconds === null ? '' : `  ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`;
  const line = `[${bar}] ${bytes}  ${amount(perSecond)}/s${clock}`;
  const room = width - line.length - 2;
  if (path.length <= room) return `${line}  ${path}`;
  return room < leastNameLength ? line : `${line}  …${path.slice(1 - room)}`;
}
