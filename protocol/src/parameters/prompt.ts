import { text, weighted } from './parts.js';
import type { ParameterSchema } from './types.js';

/** What the output should look like: prompts and the transitions between them. */
export const promptParameters = {
  prompt: {
    title: 'Prompt',
    description:
      'What the output should look like: a text, or a list of texts with weights. In a text, (word:1.2) gives a word more weight and [word] less.',
    'x-group': 'main',
    default: '',
    anyOf: [text, weighted('text', text)],
  },
  negative_prompt: {
    title: 'Negative prompt',
    description: 'What the output should not look like (guidance full and initialize).',
    'x-group': 'more',
    default: '',
    ...text,
  },
  prompt_blend: {
    title: 'Blend',
    description: 'How prompts are blended: linearly (lerp) or spherically (slerp).',
    'x-group': 'more',
    default: 'lerp',
    enum: ['lerp', 'slerp'],
  },
  transition_frames: {
    title: 'Transition (frames)',
    description: 'Length of the transition to a new prompt, in frames.',
    'x-group': 'more',
    default: 0,
    type: 'integer',
    minimum: 0,
    maximum: 1000,
  },
  transition_seconds: {
    title: 'Transition (seconds)',
    description: 'Length of the transition to a new prompt, in seconds.',
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 60,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
