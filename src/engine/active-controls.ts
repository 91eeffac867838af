import type { ModelControl, StreamParameters } from '@millrace/protocol';

/** A control that is on. */
export interface ActiveControl {
  readonly name: string;
  /** What makes its picture from a frame that brings none; null: nothing does. */
  readonly preprocessor: string | null;
}

/** Returns the names of the controls that have an effect: frames from noise alone bring no pictures. */
export function activeControlNames({ controls, mode }: StreamParameters): readonly string[] {
  if (mode !== 'img2img') return [];
  return Object.entries(controls).flatMap(([name, { scale }]) => (scale > 0 ? [name] : []));
}

/** Returns whether there is a style image that has an effect. */
export function hasStyle({ style_image: image, ip_adapter_scale: scale }: StreamParameters): boolean {
  return image !== null && scale > 0;
}

/** Returns those of a model's controls that have an effect. */
export function activeControls(
  controls: readonly ModelControl[],
  parameters: StreamParameters,
): readonly ActiveControl[] {
  if (controls.length === 0) return [];
  const settings = new Map(Object.entries(parameters.controls));
  const active = new Set(activeControlNames(parameters));
  return controls
    .filter(({ name }) => active.has(name))
    .map(({ name, preprocessor }) => ({
      name,
      preprocessor: settings.get(name)?.preprocessor ?? preprocessor,
    }));
}
