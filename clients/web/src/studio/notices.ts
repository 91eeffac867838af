import { signal } from '@preact/signals';

const noticeMs = 6000;

/** What the user is told for a few seconds. */
export class Notices {
  readonly text = signal<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly announce = (text: string): void => {
    this.text.value = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.text.value = undefined), noticeMs);
  };
}
