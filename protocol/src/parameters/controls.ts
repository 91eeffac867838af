import { flag } from './parts.js';
import type { ParameterSchema, SettingSchema } from './parameter-schema.js';

/** A control of a model: a ControlNet or a T2I-Adapter, which steers frames by a picture for each. */
export interface ModelControl {
  /** 1 to 40 of a-z, 0-9, _ and -. */
  readonly name: string;
  /** The preprocessors that can make its picture from the frame. */
  readonly preprocessors: readonly string[];
  /** The preprocessor unless the client chooses another; null: the client sends the picture with each frame. */
  readonly preprocessor: string | null;
}

/** How a control steers. */
export interface ControlSettings {
  /** 0 to 2; 0 is off. */
  readonly scale: number;
  /** The part of the denoising in which it steers, from 0 to 1; default: all of it. */
  readonly start?: number;
  readonly end?: number;
  /** Makes the picture from frames that bring none. */
  readonly preprocessor?: string;
}

/** Steering by pictures. */
export const controlParameters = {
  controls: {
    title: 'Controls',
    description:
      'How much the controls of the model (ControlNet, T2I-Adapter) steer by their pictures: for each, by its name, its scale; start and end, the part of the denoising in which it steers; and the preprocessor that makes its picture from frames that bring none. Others are off.',
    'x-group': 'main',
    'x-applies': ['steering', 'input'],
    'x-when': { mode: ['img2img'] },
    default: {},
    type: 'object',
    properties: {},
    additionalProperties: false,
  },
  control_previews: {
    title: 'Show what the controls see',
    description:
      'A few times a second, results bring small copies of the pictures by which the controls have steered them.',
    'x-group': 'main',
    'x-applies': ['output'],
    'x-when': { mode: ['img2img'] },
    'x-live': true,
    default: false,
    ...flag,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;

/** Returns the schema of the settings of each control, by its name. */
export function controlProperties(
  controls: readonly ModelControl[],
): Readonly<Record<string, SettingSchema>> {
  return Object.fromEntries(controls.map((control) => [control.name, settingsOf(control)]));
}

const part = { type: 'number', minimum: 0, maximum: 1 } as const;

function settingsOf({ name, preprocessors, preprocessor }: ModelControl): SettingSchema {
  return {
    title: name,
    type: 'object',
    properties: {
      scale: {
        title: 'Scale',
        description: 'How much it steers; 0 is off.',
        default: 0,
        type: 'number',
        minimum: 0,
        maximum: 2,
      },
      start: {
        title: 'Start',
        description: 'Part of the denoising from which it steers.',
        default: 0,
        ...part,
      },
      end: { title: 'End', description: 'Part of the denoising up to which it steers.', default: 1, ...part },
      ...(preprocessors.length > 0 && {
        preprocessor: {
          title: 'Preprocessor',
          description: 'Makes its picture from frames that bring none.',
          ...(preprocessor !== null && { default: preprocessor }),
          enum: preprocessors,
        },
      }),
    },
    required: ['scale'],
    additionalProperties: false,
  };
}
