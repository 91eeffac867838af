import { join } from 'node:path';
import { repositoryRoot } from './reference.js';
import { readSafeTensors, type SafeTensors } from './safetensors.js';

/** Small models in the layouts that exporters write (test/fixtures/layouts/make.py). */
export const layouts = ['optimum', 'optimum-onnx', 'lcm', 'sdxl'] as const;
export type LayoutName = (typeof layouts)[number];

export function layoutFolder(name: LayoutName): string {
  return join(repositoryRoot, 'test/fixtures/layouts', name);
}

/** Returns what diffusers computes with the model. */
export async function expectedOf(name: LayoutName): Promise<SafeTensors> {
  return readSafeTensors(join(layoutFolder(name), 'expected.safetensors'));
}
