import {
  parameterNames,
  parameterSchemas,
  showValue,
  type ParameterRole,
  type ParameterUpdate,
} from '@millrace/protocol';
import { parse, YAMLParseError } from 'yaml';
import { secondsOf, type Timing } from '../../video/timing.js';
import { RunError } from './run-error.js';
import { readTextFile } from './text-file.js';

/** A change of parameters at a time of the input. */
export interface Change {
  /** Seconds since the first frame. */
  readonly at: number;
  /** Seconds that the transition to a new prompt takes; 0 for a cut. */
  readonly over: number;
  readonly parameters: ParameterUpdate;
}

/** Longest transition in seconds, and in frames. */
const longest = { seconds: 60, frames: 1000 };
/** How long a transition takes if nothing is said about it. */
const usualSeconds = 1;
/** Until the rate of the frames is known. */
const usualRate = 25;

/** Parameters with these roles are set once, for the whole run. */
const fixedRoles: ReadonlySet<ParameterRole> = new Set(['input', 'output', 'flow', 'transition']);
const changeable: ReadonlySet<string> = new Set(
  parameterNames.filter(
    (name) =>
      name !== 'style_image' && !parameterSchemas[name]['x-applies'].some((role) => fixedRoles.has(role)),
  ),
);

/**
 * Reads a file of changes, YAML or JSON: a map from times (`0:12`) to what happens, which is a prompt, `blend to PROMPT
 * over 3 s`, or a map of parameters with `over`; or a list of lines that begin with the time.
 * @returns the changes in the order of their times. @throws {RunError} that names the file and the fault.
 */
export async function readTimeline(file: string): Promise<readonly Change[]> {
  const text = await readTextFile(file);
  try {
    const changes = entriesOf(parse(text)).map(([time, what]) => readChange(String(time), what));
    if (changes.length === 0) throw new RunError('it has no times');
    return changes.toSorted((a, b) => a.at - b.at);
  } catch (error) {
    if (!(error instanceof RunError || error instanceof YAMLParseError)) throw error;
    const [fault = ''] = error.message.split('\n');
    throw new RunError(`${file}: ${fault.replace(/:$/, '')}`, { cause: error });
  }
}

/** The changes that are still to come, by the times of the frames. */
export class Timeline {
  readonly #changes: Change[];
  readonly #timing: Timing & { readonly isLive: boolean };
  #start: number | null = null;
  #frames = 0;

  /** @param changes in the order of their times. */
  constructor(changes: readonly Change[], timing: Timing & { readonly isLive: boolean }) {
    this.#changes = [...changes];
    this.#timing = timing;
  }

  /** Returns what changes before the frame with this time, in ticks, in order. Each change once. */
  take(time: number): readonly ParameterUpdate[] {
    this.#start ??= time;
    const seconds = secondsOf(time - this.#start, this.#timing.timebase);
    const due = this.#changes.filter(({ at }) => at <= seconds);
    this.#changes.splice(0, due.length);
    this.#frames += 1;
    return due.map(({ over, parameters }) => Object.assign(this.#transition(over, seconds), parameters));
  }

  /** Frames of files are generated faster or slower than they are shown: their transitions are counted in frames. */
  #transition(over: number, seconds: number): ParameterUpdate {
    const { isLive, rate } = this.#timing;
    if (isLive) return { transition_seconds: over, transition_frames: 0 };
    const measured = this.#frames > 1 && seconds > 0 ? this.#frames / seconds : usualRate;
    const perSecond = rate ? rate.numerator / rate.denominator : measured;
    return {
      transition_seconds: 0,
      transition_frames: Math.min(longest.frames, Math.round(over * perSecond)),
    };
  }
}

function entriesOf(value: unknown): readonly (readonly [time: unknown, what: unknown])[] {
  if (Array.isArray(value)) {
    return value.map((line: unknown) => {
      const [, time, what] = (typeof line === 'string' && /^(\S+)\s+(.+)$/s.exec(line)) || [];
      if (time === undefined)
        throw new RunError(
          `each line must begin with its time, as in "0:12 oil painting", not ${showValue(line)}`,
        );
      return [time, what] as const;
    });
  }
  if (isMap(value)) return Object.entries(value);
  throw new RunError('it must be a map from times to prompts, as in 0:12: oil painting');
}

function readChange(time: string, what: unknown): Change {
  const at = readTime(time);
  if (typeof what === 'string') {
    const [, blended, seconds] =
      /^blend to (.+?)(?:\s+over\s+(\d+(?:\.\d+)?)\s*(?:s|seconds?))?$/is.exec(what) ?? [];
    if (blended === undefined) return { at, over: 0, parameters: { prompt: what } };
    return { at, over: readOver(time, seconds ?? usualSeconds), parameters: { prompt: blended } };
  }
  if (!isMap(what))
    throw new RunError(`at ${time} there must be a prompt or a map of parameters, not ${showValue(what)}`);
  const { over = 0, ...parameters } = what;
  const wrong = Object.keys(parameters).find((name) => !changeable.has(name));
  if (wrong !== undefined) {
    const known = Object.hasOwn(parameterSchemas, wrong);
    throw new RunError(`at ${time}, ${wrong} ${known ? 'cannot change during a run' : 'is no parameter'}`);
  }
  return { at, over: readOver(time, over), parameters };
}

/** Reads seconds, with minutes and hours before them if there are any: `12.5`, `1:02`, `1:00:00`. */
function readTime(text: string): number {
  const [, hours = '0', minutes = '0', seconds] =
    /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(text.trim()) ?? [];
  if (seconds === undefined)
    throw new RunError(`a time must be like 0:12, 1:02:03 or 12.5, not ${showValue(text)}`);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

function readOver(time: string, value: unknown): number {
  const [, text] = /^(\d+(?:\.\d+)?)\s*(?:s|seconds?)?$/i.exec(String(value)) ?? [];
  const seconds = Number(text);
  if (seconds <= longest.seconds) return seconds;
  throw new RunError(
    `at ${time}, over must be seconds from 0 to ${longest.seconds}, not ${showValue(value)}`,
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
