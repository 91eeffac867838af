import { text, weighted } from './parts.js';
import type { ParameterSchema } from './parameter-schema.js';

/** What the output should look like: prompts and the transitions between them. */
export const promptParameters = {
  prompt: {
    title: 'Prompt',
    description:
      'What the output should look like: a text, or a list of texts with weights. In a text, (word:1.2) gives a word more weight and [word] less.',
    'x-group': 'main',
    'x-applies': ['steering'],
    default: '',
    anyOf: [text, weighted('text', text)],
  },
  negative_prompt: {
    title: 'Negative prompt',
    description: 'What the output should not look like (guidance full and initialize).',
    'x-group': 'more',
    'x-applies': ['steering'],
    'x-when': { cfg_type: ['full', 'initialize'] },
    default: '',
    ...text,
  },
  prompt_blend: {
    title: 'Blend',
    description: 'How prompts are blended: linearly (lerp) or spherically (slerp).',
    'x-group': 'more',
    'x-applies': ['steering'],
    default: 'lerp',
    enum: ['lerp', 'slerp'],
  },
  prompt_composition: {
    title: 'Composition',
    description:
      'How two prompts are composed by EulerMaruyama: mix blends their embeddings; with and, the picture is of both; with or, of the one that fits better. These two take two rows a frame, and 20 steps or more to differ from mix.',
    'x-group': 'more',
    'x-applies': ['steering'],
    'x-when': { solver: ['EulerMaruyamaScheduler'] },
    default: 'mix',
    enum: ['mix', 'and', 'or'],
  },
  /** 0 changes at once. The longer of the two lengths applies. */
  transition_frames: {
    title: 'Transition (frames)',
    description: 'Length of the transition to a new prompt, in frames.',
    'x-group': 'more',
    'x-applies': ['transition'],
    'x-live': true,
    default: 0,
    type: 'integer',
    minimum: 0,
    maximum: 1000,
  },
  transition_seconds: {
    title: 'Transition (seconds)',
    description: 'Length of the transition to a new prompt, in seconds.',
    'x-group': 'more',
    'x-applies': ['transition'],
    'x-live': true,
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 60,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
