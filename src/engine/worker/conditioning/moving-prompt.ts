import type { Conditioning, PromptTransition } from '../../../diffusion/stream.js';
import { MovingEmbedding, type Way } from '../../../diffusion/transition.js';
import { allFinite } from '../networks/finite.js';
import type { Padding } from './padding.js';

/** A prompt that can change gradually: all parts of its conditioning move together. */
export class MovingPrompt {
  readonly #padding: Padding;
  #target: Conditioning;
  /** `encoder_hidden_states`, whose length may change. */
  #text: MovingEmbedding;
  /** The other parts, by the input of the U-Net. */
  #others: ReadonlyMap<string, MovingEmbedding>;

  constructor(conditioning: Conditioning, padding: Padding) {
    this.#padding = padding;
    this.#target = conditioning;
    this.#text = new MovingEmbedding(conditioning.encoder_hidden_states);
    this.#others = movingOthers(conditioning);
  }

  moveTo(target: Conditioning, way: Way): void {
    for (const [input, part] of this.#others) {
      const values = target[input];
      if (values) part.moveTo(values, way);
    }
    const { encoder_hidden_states: text } = target;
    if (text === this.#target.encoder_hidden_states) return;
    this.#target = target;
    const now = this.#text.at(way.ordinal, way.ms);
    const length = Math.max(now.length, text.length);
    // During a transition, both prompts are padded to the length of the longer one.
    this.#text = new MovingEmbedding(this.#padding.pad(now, length));
    this.#text.moveTo(this.#padding.pad(text, length), way);
  }

  /** Returns the current transition; null if there is none. @param ms the current time. */
  transition(ms: number): PromptTransition | null {
    const text = this.#text.moving;
    if (text === null) return null;
    const { way } = text;
    const others = [...this.#others].map(
      ([input, part]) => [input, part.moving?.from ?? part.at(way.ordinal, ms)] as const,
    );
    const from = { ...Object.fromEntries(others), encoder_hidden_states: text.from };
    return { from, method: way.method, length: way.length, ordinal: way.ordinal, elapsedMs: ms - way.ms };
  }

  /** Continues a transition to this prompt that began in another engine. @param ms the current time. */
  resume(transition: PromptTransition, ms: number): void {
    const { from, method, length, ordinal, elapsedMs } = transition;
    const { encoder_hidden_states: embedding } = from;
    const target = this.#target;
    if (!this.#padding.fits(embedding) || !haveEqualOthers(from, target)) return;
    if (!Object.values(from).every(allFinite)) return;
    this.#target = from;
    this.#text = new MovingEmbedding(embedding);
    this.#others = movingOthers(from);
    this.moveTo(target, { method, length, ordinal, ms: ms - elapsedMs });
  }

  /** Returns the conditioning for the frame with this ordinal at this time. */
  at(ordinal: number, ms: number): Conditioning {
    const { encoder_hidden_states: target } = this.#target;
    const now = this.#text.at(ordinal, ms);
    const text = now === this.#padding.pad(target, now.length) ? target : now;
    const parts: { encoder_hidden_states: Float32Array; [input: string]: Float32Array } = {
      encoder_hidden_states: text,
    };
    for (const [input, part] of this.#others) parts[input] = part.at(ordinal, ms);
    return parts;
  }
}

/** Returns the parts besides the text, as they move. */
function movingOthers(conditioning: Conditioning): Map<string, MovingEmbedding> {
  const { encoder_hidden_states: _, ...others } = conditioning;
  return new Map(Object.entries(others).map(([input, values]) => [input, new MovingEmbedding(values)]));
}

/** Returns whether both have the same parts besides the text, in the same lengths. */
function haveEqualOthers(a: Conditioning, b: Conditioning): boolean {
  const inputs = new Set([...Object.keys(a), ...Object.keys(b)]);
  inputs.delete('encoder_hidden_states');
  return [...inputs].every((input) => a[input]?.length === b[input]?.length);
}
