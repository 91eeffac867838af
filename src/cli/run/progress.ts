import type { WriteStream } from 'node:tty';

const barWidth = 24;
const intervalMs = 100;

/** One line that is rewritten on a terminal; writes nothing without a terminal. */
export class Progress implements Disposable {
  readonly #stream: WriteStream;
  #drawnAt = -Infinity;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Shows what happens before the first frame. */
  say(text: string): void {
    this.#draw(text);
  }

  /** Shows what is being loaded. */
  readonly loading = (what: string): void => this.say(`${what}...`);

  /** Writes a separate line that stays, also without a terminal. */
  note(text: string): void {
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`);
  }

  /** @param total frames that are expected; null if nobody knows. @param elapsed milliseconds since the start. */
  update(done: number, total: number | null, elapsed: number): void {
    const now = performance.now();
    if (done !== total && now - this.#drawnAt < intervalMs) return;
    this.#drawnAt = now;
    this.#draw(progressLine(done, total, elapsed));
  }

  [Symbol.dispose](): void {
    this.#draw('');
  }

  #draw(text: string): void {
    if (!this.#stream.isTTY) return;
    // Some terminals do not report their width.
    const width = this.#stream.columns || 80;
    this.#stream.write(`\r\x1b[K${text.slice(0, width - 1)}`);
  }
}

/** Returns bar, frames, frames per second and time left, as in `[######------] 12/24 frames  8.0 fps  0:02 left`. */
export function progressLine(done: number, total: number | null, elapsed: number): string {
  const perSecond = elapsed > 0 ? (done / elapsed) * 1000 : 0;
  if (total === null) return `${done} frames  ${perSecond.toFixed(1)} fps`;
  const left = perSecond > 0 ? `  ${clock(Math.max(0, total - done) / perSecond)} left` : '';
  return `[${barText(done, total)}] ${done}/${total} frames  ${perSecond.toFixed(1)} fps${left}`;
}

/** Returns the bar alone, as in `######------`. */
export function barText(done: number, total: number): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return '#'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '-');
}

/** Returns a duration as minutes and seconds, with hours if there are any. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
