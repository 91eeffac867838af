import type { ParameterUpdate } from '@millrace/client';

/** Returns a prompt as one text. Weighted texts are joined without their weights. */
export function plainPrompt(prompt: ParameterUpdate['prompt']): string {
  if (typeof prompt === 'string' || prompt === undefined) return prompt ?? '';
  return prompt.map(({ text }) => text).join(', ');
}
