import type { Conditioning } from '../../../../src/diffusion/stream.js';

export function floats(...values: readonly number[]): Float32Array {
  return Float32Array.from(values);
}

/** Embeds a prompt by its length. A chunk is two values, 9 for the empty prompt; a prompt of two words has two chunks. */
export function embed(prompt: string): Conditioning {
  const value = prompt === '' ? 9 : prompt.length;
  const text = prompt.includes(' ') ? floats(value, value, value, value) : floats(value, value);
  return { encoder_hidden_states: text, text_embeds: floats(10 * value) };
}
