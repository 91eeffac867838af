import { parseArgs } from 'node:util';

/** What differs between a true measurement and one that only shows that it works. */
export interface Scale {
  readonly steps: readonly number[];
  readonly users: readonly number[];
  /** Seconds of each measurement. */
  readonly seconds: number;
}

export type Size = 'full' | 'small';
export const scales: Readonly<Record<Size, Scale>> = {
  full: { steps: [1, 2, 4], users: [1, 2, 4, 8, 16, 32], seconds: 8 },
  small: { steps: [1, 2], users: [1, 2], seconds: 1 },
};

export interface DeviceOptions {
  readonly size: Size;
  /** In the syntax of the setting `device`. */
  readonly device: string;
  /** Where the model and the results are; null for a place beside those of other benchmarks. */
  readonly folder: string | null;
  /** In which measurements may begin. */
  readonly minutes: number;
  /** Whether results of a run that was cut are thrown away. */
  readonly isFresh: boolean;
  /** Whether only the model is made. */
  readonly onlyPrepares: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

/** Reads the options of `npm run bench -- device`. @throws {Error} that names the option and what is allowed. */
export function deviceOptions(args: readonly string[]): DeviceOptions {
  const options = {
    size: { ...text, default: 'full' },
    device: { ...text, default: 'cuda' },
    folder: text,
    minutes: { ...text, default: '8' },
    fresh: flag,
    prepare: flag,
  };
  const { values } = parseArgs({ args: [...args], options });
  const { size, device, folder = null, fresh, prepare } = values;
  if (size !== 'full' && size !== 'small') throw new Error(`--size ${size}: choose full or small`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && values.minutes.trim() !== ''))
    throw new Error(`--minutes ${values.minutes}: choose a number above 0`);
  return { size, device, folder, minutes, isFresh: fresh, onlyPrepares: prepare };
}
