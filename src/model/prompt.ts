/** A part of a prompt and its weight; 1 is neutral. */
export interface PromptSegment {
  readonly text: string;
  readonly weight: number;
}

/** Brackets, escaped ones, a weight with the bracket that it closes, and the text between. */
const piece = /\\[()[\]\\]|[()[\]]|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[^\\()[\]:]+|[\\:]/g;
const emphasis = 1.1;
/** Weights grow with nesting; larger ones give only noise. */
const mostWeight = 100;

/**
 * Parses weights in the syntax of AUTOMATIC1111's web UI, which most tools adopted: `(word)` counts 1.1 times,
 * `(word:1.4)` 1.4 times, `[word]` 1/1.1 times; nested weights multiply, an unclosed bracket extends to the end, and a
 * backslash makes a bracket a plain character.
 * @returns segments in order, none empty and no two neighbours of equal weight; an empty text is one empty segment.
 */
export function parsePrompt(prompt: string): readonly PromptSegment[] {
  const parts: { text: string; weight: number }[] = [];
  const round: number[] = [];
  const square: number[] = [];
  const multiply = (start: number | undefined, factor: number): void => {
    for (const part of parts.slice(start)) part.weight *= factor;
  };
  for (const [text, weight] of prompt.matchAll(piece)) {
    if (text === '(') round.push(parts.length);
    else if (text === '[') square.push(parts.length);
    else if (weight !== undefined && round.length > 0) multiply(round.pop(), Number(weight));
    else if (text === ')' && round.length > 0) multiply(round.pop(), emphasis);
    else if (text === ']' && square.length > 0) multiply(square.pop(), 1 / emphasis);
    else parts.push({ text: /^\\./.test(text) ? text.slice(1) : text, weight: 1 });
  }
  for (const start of round) multiply(start, emphasis);
  for (const start of square) multiply(start, 1 / emphasis);
  return joinNeighbours(parts);
}

function joinNeighbours(parts: readonly PromptSegment[]): readonly PromptSegment[] {
  const joined: { text: string; weight: number }[] = [];
  for (const { text, weight } of parts) {
    const bounded = Math.min(mostWeight, Math.max(-mostWeight, weight));
    const last = joined.at(-1);
    if (last?.weight === bounded) last.text += text;
    else joined.push({ text, weight: bounded });
  }
  return joined.length > 0 ? joined : [{ text: '', weight: 1 }];
}
