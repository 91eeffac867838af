import type { Style, Styles } from '@millrace/client';
import { signal } from '@preact/signals';
import type { ParameterDesk } from './parameter-desk.js';
import { plainPrompt } from './plain-prompt.js';
import { names, withStyle } from './style-prompt.js';

/** The styles and moods that prompts can name. */
export class StyleBook {
  readonly all = signal<Styles>({ styles: [], moods: [] });
  readonly #desk: ParameterDesk;

  constructor(desk: ParameterDesk) {
    this.#desk = desk;
  }

  /** Paints in a style, with the moods of the present prompt, and the steps and strength that suit the style. */
  choose(style: Style): void {
    const { moods } = this.all.peek();
    this.#desk.set('prompt', withStyle(this.#prompt, style, moods), true);
    if (style.steps !== undefined) this.#desk.set('steps', style.steps, true);
    if (style.strength !== undefined) this.#desk.set('strength', style.strength, true);
  }

  /** Returns whether the prompt has this style. */
  isChosen(style: Style): boolean {
    return names(this.#prompt, style);
  }

  get #prompt(): string {
    return plainPrompt(this.#desk.values.peek().prompt);
  }
}
