import type { Style } from '@millrace/client';

/** Returns a prompt with this style instead of what it had, and with the moods that it had. */
export function withStyle(prompt: string, style: Style, moods: readonly Style[]): string {
  const kept = partsOf(prompt).filter((part) => isMood(part, moods));
  return [style.prompt, ...kept].join(', ');
}

/** Returns a prompt with this mood as its only one, or without moods if it has this one already. */
export function withMood(prompt: string, mood: Style, moods: readonly Style[]): string {
  const others = partsOf(prompt).filter((part) => !isMood(part, moods));
  return names(prompt, mood) ? others.join(', ') : [...others, mood.prompt].join(', ');
}

/** Returns whether one of the parts of a prompt is that of the style or mood. */
export function names(prompt: string, { prompt: part }: Style): boolean {
  return partsOf(prompt).includes(part);
}

function partsOf(prompt: string): readonly string[] {
  return prompt
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function isMood(part: string, moods: readonly Style[]): boolean {
  return moods.some(({ prompt }) => prompt === part);
}
