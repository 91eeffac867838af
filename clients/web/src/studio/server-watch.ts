import { fetchReadiness, type Readiness } from '@millrace/client';
import { signal } from '@preact/signals';

const pauseMs = 1500;
/** A server that is ready rarely changes. */
const longPauseMs = 10_000;

/** Asks every few seconds whether the server is ready, while there is no stream that shows it. */
export class ServerWatch {
  /** The last answer; undefined if the server cannot be reached. */
  readonly readiness = signal<Readiness>();

  /** @param isNeeded returns whether to ask now. */
  constructor(url: string, isNeeded: () => boolean) {
    const ask = async (): Promise<void> => {
      try {
        if (isNeeded()) this.readiness.value = await fetchReadiness(url);
      } catch {
        this.readiness.value = undefined;
      }
      setTimeout(() => void ask(), this.readiness.peek()?.ready ? longPauseMs : pauseMs);
    };
    void ask();
  }
}
