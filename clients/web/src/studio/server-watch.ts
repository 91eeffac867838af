import { fetchReadiness, type MillraceStream, type Readiness } from '@millrace/client';
import { signal } from '@preact/signals';

const pauseMs = 1500;
/** A server that is ready rarely changes. */
const longPauseMs = 10_000;

/** What the server says of itself: every few seconds whether it is ready and who uses it, and how it limits a stream. */
export class ServerWatch {
  /** The last answer; undefined if the server cannot be reached. */
  readonly readiness = signal<Readiness>();
  /** Frames per second that it limits the stream to, because it has too little time for all; null for no limit. */
  readonly limit = signal<number | null>(null);

  readonly #url: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.#url = url;
    void this.#ask();
  }

  /** Takes note of the limits of a new stream, which is one more user. */
  follow(stream: MillraceStream): void {
    this.limit.value = null;
    stream.on('quality', ({ fps }) => (this.limit.value = fps));
    void this.#ask();
  }

  /** Asks now, and again after a pause. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.readiness.value = await fetchReadiness(this.#url);
    } catch {
      this.readiness.value = undefined;
    }
    // Another question may have been asked meanwhile.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), this.readiness.peek()?.ready ? longPauseMs : pauseMs);
  }
}
