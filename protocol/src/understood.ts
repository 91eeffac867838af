import type { UnderstoodPrompt } from './messages/index.js';

/** Returns what the model made of a prompt, as one line for people. */
export function understoodInWords({
  tokens,
  truncated,
  weights = {},
  styles,
  moods,
  nearest = false,
  ignored,
}: UnderstoodPrompt): string {
  const named = Object.entries({ ...styles, ...moods });
  const parts: string[] = [];
  if (named.length > 0) {
    const names = named.map(([name, share]) => `${name} ${Math.round(100 * share)}%`).join(', ');
    parts.push(nearest ? `nearest in meaning: ${names}` : names);
  } else if (styles !== undefined || moods !== undefined) {
    parts.push('names no style or mood of this model');
  } else {
    parts.push(tokens === 1 ? '1 token' : `${tokens} tokens`);
  }
  if (ignored !== undefined) parts.push(`without effect: ${ignored.split(' ').join(', ')}`);
  for (const [text, weight] of Object.entries(weights)) {
    parts.push(`"${text.trim()}" counts ${Number(weight.toFixed(2))} times`);
  }
  if (truncated !== undefined) parts.push(`the last ${truncated} tokens are not read`);
  return parts.join('; ');
}
