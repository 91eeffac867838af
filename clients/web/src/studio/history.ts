import type { ParameterUpdate } from '@millrace/client';
import { effect, signal } from '@preact/signals';
import type { ParameterDesk } from './parameter-desk.js';

/** Changes that follow each other faster are one step: a slider that moves, a word that is typed. */
const pauseMs = 600;
const mostSteps = 200;

/** What the user has set before, to go back to. */
export class History {
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  readonly #desk: ParameterDesk;
  #past: ParameterUpdate[] = [];
  #future: ParameterUpdate[] = [];
  #present: ParameterUpdate;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: ParameterDesk) {
    this.#desk = desk;
    this.#present = desk.chosen.peek();
    effect(() => {
      if (desk.chosen.value === this.#present) return;
      this.canUndo.value = true;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#note(), pauseMs);
    });
  }

  undo(): void {
    this.#note();
    const before = this.#past.pop();
    if (before === undefined) return;
    this.#future.push(this.#present);
    this.#goTo(before);
  }

  redo(): void {
    this.#note();
    const after = this.#future.pop();
    if (after === undefined) return;
    this.#past.push(this.#present);
    this.#goTo(after);
  }

  /** Forgets all steps: what is set now is the beginning. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#past = [];
    this.#future = [];
    this.#present = this.#desk.chosen.peek();
    this.#show();
  }

  /** Takes note of what is set now, if it is new. */
  #note(): void {
    clearTimeout(this.#timer);
    const now = this.#desk.chosen.peek();
    if (now === this.#present) return;
    this.#past = [...this.#past, this.#present].slice(-mostSteps);
    this.#future = [];
    this.#present = now;
    this.#show();
  }

  #goTo(parameters: ParameterUpdate): void {
    this.#desk.replace(parameters);
    clearTimeout(this.#timer);
    this.#present = this.#desk.chosen.peek();
    this.#show();
  }

  #show(): void {
    this.canUndo.value = this.#past.length > 0;
    this.canRedo.value = this.#future.length > 0;
  }
}
