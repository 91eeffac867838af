import type { JSX } from 'preact';
import type { Projection } from '../studio/projection.js';

/** The line between input and output, which users move over the picture. */
export function Wipe({ projection }: { readonly projection: Projection }): JSX.Element | null {
  if (!projection.wiped.value) return null;
  return (
    <input
      class="wipe"
      type="range"
      min={0}
      max={1}
      step={0.01}
      value={projection.line.value}
      aria-label="Before and after"
      aria-valuetext={`${Math.round(100 * projection.line.value)}% input`}
      data-testid="line"
      onInput={({ currentTarget }) => (projection.line.value = currentTarget.valueAsNumber)}
    />
  );
}
