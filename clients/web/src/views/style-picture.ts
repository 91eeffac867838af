/** The clip as the embedded model paints it by its one-click prompts; prompts of other models have no picture. */
const pictures = import.meta.glob<string>('../assets/styles/*.webp', { eager: true, import: 'default' });

/** The address of a prompt's picture. */
export function stylePicture(prompt: string): string | undefined {
  return pictures[`../assets/styles/${prompt.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.webp`];
}
