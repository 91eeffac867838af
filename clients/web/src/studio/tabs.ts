import { signal } from '@preact/signals';

type Message = 'who streams?' | 'this one' | 'stop';

interface TabsOptions {
  /** Returns whether this tab streams. */
  readonly streams: () => boolean;
  /** Stops this tab's stream, because another tab takes its place. */
  readonly stop: () => void;
}

/** The tabs of this page in the same browser: one can take the place of another. */
export class Tabs {
  /** Whether another tab streams; known after `ask`. */
  readonly another = signal(false);
  /** Undefined in a browser that has none. */
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('millrace') : undefined;

  constructor({ streams, stop }: TabsOptions) {
    this.#channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data === 'who streams?' && streams()) this.#send('this one');
      if (data === 'this one') this.another.value = true;
      if (data === 'stop' && streams()) stop();
    });
  }

  /** Asks whether another tab streams. */
  ask(): void {
    this.another.value = false;
    this.#send('who streams?');
  }

  /** Stops the streams of the other tabs. */
  takeOver(): void {
    this.#send('stop');
    this.another.value = false;
  }

  #send(message: Message): void {
    this.#channel?.postMessage(message);
  }
}
