import type { ParameterSchema } from './parameter-schema.js';

/** Attention over time: what frames see of those before them. */
export const attentionBankParameters = {
  attention_bank_frames: {
    title: 'Attention over time',
    description:
      'How many earlier frames each frame attends to, for steadier pictures; 0 is off. Each takes memory and time, and the model must be exported with it.',
    'x-group': 'more',
    'x-applies': ['steering'],
    default: 0,
    type: 'integer',
    minimum: 0,
    maximum: 4,
  },
  attention_bank_interval: {
    title: 'Attention interval',
    description: 'Every how many-th frame is kept for attention over time.',
    'x-group': 'more',
    'x-applies': ['entry'],
    default: 1,
    type: 'integer',
    minimum: 1,
    maximum: 1440,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
