/** The clip as the embedded model paints it with its one-click prompts; prompts of other models have no picture. */
const pictures = import.meta.glob<string>('../assets/styles/*.webp', { eager: true, import: 'default' });

/** Returns the address of a prompt's picture. */
export function stylePicture(prompt: string): string | undefined {
  return pictures[`../assets/styles/${prompt.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.webp`];
}
