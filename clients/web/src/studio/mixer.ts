import { computed } from '@preact/signals';
import { Glide, type Timing } from './glide.js';
import type { ParameterDesk } from './parameter-desk.js';

interface MixedPrompt {
  readonly text: string;
  readonly weight: number;
}

export const mostPrompts = 4;

/** Several prompts with weights. It shows and sets the parameter `prompt`, so that looks and links have it. */
export class Mixer {
  readonly glide = new Glide();
  readonly prompts = computed<readonly MixedPrompt[]>(() => {
    const { prompt = '' } = this.#desk.values.value;
    return typeof prompt === 'string' ? [{ text: prompt, weight: 1 }] : prompt;
  });
  /** Where the cross-fade is: 0 at the first prompt, 1 at the second, and between them in between. */
  readonly position = computed(() => {
    const all = this.prompts.value.reduce((sum, { weight }) => sum + weight, 0);
    return all === 0 ? 0 : this.prompts.value.reduce((sum, { weight }, i) => sum + i * weight, 0) / all;
  });
  readonly #desk: ParameterDesk;

  constructor(desk: ParameterDesk) {
    this.#desk = desk;
  }

  /** Adds a prompt that does not count yet. */
  add(text: string): void {
    const { prompts } = this;
    if (prompts.peek().length < mostPrompts) this.#set([...prompts.peek(), { text, weight: 0 }], true);
  }

  change(index: number, change: Partial<MixedPrompt>, settled: boolean): void {
    this.glide.stop();
    const prompts = this.prompts.peek();
    const prompt = prompts[index];
    if (prompt) this.#set(prompts.with(index, { ...prompt, ...change }), settled);
  }

  remove(index: number): void {
    this.glide.stop();
    this.#set(this.prompts.peek().toSpliced(index, 1), true);
  }

  /** Fades to a position at once. */
  fade(position: number): void {
    this.glide.stop();
    this.#show(position);
  }

  /** Fades to a prompt in a while. */
  fadeTo(index: number, timing: Timing): void {
    this.glide.start(this.position.peek(), index, timing, (position) => this.#show(position));
  }

  #show(position: number): void {
    const weighted = this.prompts.peek().map(({ text }, i) => {
      const weight = Math.max(0, 1 - Math.abs(i - position));
      return { text, weight: Math.round(weight * 1000) / 1000 };
    });
    this.#set(weighted, false);
  }

  #set(prompts: readonly MixedPrompt[], settled: boolean): void {
    const [first] = prompts;
    const value = prompts.length <= 1 ? (first?.text ?? '') : prompts;
    this.#desk.set('prompt', value, settled);
  }
}
