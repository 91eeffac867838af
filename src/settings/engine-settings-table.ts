import { homedir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../package.js';
import { readProcessors } from './processors.js';
import type { Setting } from './setting.js';

/** The settings of the engine: the model, where it runs, and what is measured and checked. */
export const engineSettingsTable = {
  model: {
    type: 'text',
    default: packagePath('ops/models/millrace-styles'),
    defaultText: 'the embedded model',
    description:
      'Model folder in the diffusers layout with ONNX graphs, or organisation/name[@revision] at the hub.',
  },
  device: {
    type: 'list',
    default: ['auto'],
    defaultText: 'auto',
    description:
      'Where the networks run: auto, cpu, cuda[:n], tensorrt[:n], webgpu, coreml or dml[:n]; several share the streams.',
  },
  threads: {
    type: 'integer',
    range: [1, 1024],
    default: readProcessors().usable,
    defaultText: 'one for each usable core',
    description:
      'Threads of one inference call. The default is at most the processor quota of a container, rounded down.',
  },
  precision: {
    type: 'choice',
    choices: ['auto', 'float', 'int8'],
    default: 'auto',
    description:
      'Precision on a CPU of models that also have 8-bit graphs: auto uses these if they are faster and draw nearly the same.',
  },
  calibration: {
    type: 'choice',
    choices: ['auto', 'kept', 'fresh'],
    default: 'auto',
    description:
      'When costs are measured: auto keeps those of an earlier start until the machine proves faster or slower; kept does not check them; fresh measures at the start.',
  },
  safetyChecker: {
    type: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    description:
      'Whether results are checked by the safety checker of the model, and blurred if it flags them; auto leaves it to the model.',
  },
  cacheDirectory: {
    type: 'text',
    default: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace'),
    defaultText: 'millrace in the cache folder of the user',
    description: 'Folder that keeps calibration results from one start to the next; empty keeps none.',
  },
} as const satisfies Record<string, Setting>;
