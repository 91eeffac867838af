import { text, weighted } from './parts.js';
import type { ParameterSchema } from './types.js';

/** What the output should look like: prompts and the way from one to the next. */
export const promptParameters = {
  prompt: {
    title: 'Prompt',
    description:
      'What the output should look like: a text, or a list of texts with weights. In a text, (word:1.2) counts more and [word] less.',
    'x-group': 'main',
    default: '',
    anyOf: [text, weighted('text', text)],
  },
  negative_prompt: {
    title: 'Negative prompt',
    description: 'What guidance moves away from (full and initialize).',
    'x-group': 'more',
    default: '',
    ...text,
  },
  prompt_blend: {
    title: 'Blend',
    description: 'How prompts are blended: straight (lerp) or along the sphere (slerp).',
    'x-group': 'more',
    default: 'lerp',
    enum: ['lerp', 'slerp'],
  },
  transition_frames: {
    title: 'Transition (frames)',
    description: 'Frames that the way to a new prompt takes.',
    'x-group': 'more',
    default: 0,
    type: 'integer',
    minimum: 0,
    maximum: 1000,
  },
  transition_seconds: {
    title: 'Transition (seconds)',
    description: 'Seconds that the way to a new prompt takes.',
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 60,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
