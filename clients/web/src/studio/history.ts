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
    this.#step(this.#past, this.#future);
  }

  redo(): void {
    this.#note();
    this.#step(this.#future, this.#past);
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

  /** Goes to the last one of `steps`; `others` get what is set now. */
  #step(steps: ParameterUpdate[], others: ParameterUpdate[]): void {
    const next = steps.pop();
    if (next === undefined) return;
    others.push(this.#present);
    this.#desk.replace(next);
    clearTimeout(this.#timer);
    this.#present = this.#desk.chosen.peek();
    this.#show();
  }

  #show(): void {
    this.canUndo.value = this.#past.length > 0;
    this.canRedo.value = this.#future.length > 0;
  }
}
