import { parseRational, type Rational } from '../../video/timing.js';
import type { StreamForm } from '../../video/streams.js';
import type { EngineFlags } from '../engine-options.js';
import type { Size } from '../../image/image.js';
import { RunError } from './run-error.js';

/** The options of `run`, as given. */
export interface RunOptions extends EngineFlags, Readonly<Record<string, unknown>> {
  readonly output: string;
  readonly prompt?: string;
  readonly look?: string;
  readonly timeline?: string;
  readonly size?: string;
  readonly styleImage?: string;
  readonly fps?: string;
  readonly crf?: string;
  readonly quality: string;
  readonly overwrite?: true;
  readonly json?: true;
  readonly live?: boolean;
  readonly inputFormat?: string;
  readonly inputSize?: string;
  readonly outputFormat?: string;
  readonly server?: string;
  readonly token?: string;
}

/** What they say about input and output, checked. */
export interface MediaOptions {
  /** Frames a second of images. */
  readonly rate: Rational;
  readonly form: StreamForm;
  readonly isLive: boolean | null;
  /** Of the output; null: the shape of the input. */
  readonly size: Size | null;
  readonly crf: number | null;
  readonly quality: number;
}

/** The settings of an engine, which a server has itself. */
const engineFlags = ['model', 'device', 'threads', 'precision', 'calibration'] as const;

/** @throws {RunError} that names the option and says what it must be. */
export function readMediaOptions(options: RunOptions): MediaOptions {
  const { fps, inputFormat: format = null, inputSize = null, live: isLive = null } = options;
  const rate = fps === undefined ? null : parseRational(fps);
  if (fps !== undefined && !rate) {
    throw new RunError(`--fps must be a number or a fraction such as 30000/1001, not ${fps}`);
  }
  if (inputSize !== null) readSize('input-size', inputSize);
  if (format?.split(':')[0] === 'rawvideo' && inputSize === null) {
    throw new RunError('raw video does not say its size; add --input-size, such as --input-size 640x480');
  }
  if (options.output === '-' && options.json) {
    throw new RunError('--json prints on standard output, where the video goes (-o -)');
  }
  checkServer(options);
  return {
    rate: rate ?? { numerator: 25, denominator: 1 },
    form: { format, size: inputSize, rate },
    isLive,
    size: options.size === undefined ? null : readSize('size', options.size),
    crf: options.crf === undefined ? null : readInteger('crf', options.crf, [0, 63]),
    quality: readInteger('quality', options.quality, [1, 100]),
  };
}

function checkServer(options: RunOptions): void {
  if (options.server === undefined) {
    if (options.token !== undefined) throw new RunError('--token is for a server; add --server');
    return;
  }
  const flag = engineFlags.find((name) => options[name] !== undefined);
  if (flag !== undefined) throw new RunError(`--${flag} has no effect with --server; the server has its own`);
}

function readSize(flag: string, text: string): Size {
  const [, width, height] = /^(\d+)x(\d+)$/i.exec(text) ?? [];
  if (width === undefined) throw new RunError(`--${flag} must be WIDTHxHEIGHT such as 512x384, not ${text}`);
  return { width: Number(width), height: Number(height) };
}

function readInteger(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RunError(`--${flag} must be an integer from ${least} to ${most}, not ${text}`);
}
