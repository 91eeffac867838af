import { afterEach, beforeEach, mock } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import type { Engine, EngineState } from '../../../src/engine/engine.js';
import { createEngine, type EngineOptions } from '../../../src/engine/host/supervisor.js';
import { RecordedStream } from '../../support/engine.js';
import type { Script } from './scripted-worker.js';

export const parameters = { ...defaultParameters(), width: 2, height: 1 };
const costs = [{ rows: 1, ms: 10 }];
const calibration = { at: '2026-01-02T03:04:05Z', isKept: false };
export const ready = { type: 'ready', device: 'cpu', calibration, costs, rowBudget: 3, pictureMs: 5 };
const opened = { type: 'answered', question: 'open', value: null };
/** A worker that is ready at once, and opens all streams. */
export const opens = { begin: [ready], on: { open: [opened] } } as const;

export interface Rig {
  readonly engine: Engine;
  /** All reports, in order. */
  readonly told: string[];
  /** Settles when a report contains this text. */
  readonly until: (text: string) => Promise<void>;
}

const engines: Engine[] = [];
/** The time, which stands still unless a test moves it. */
export const clock = { now: 0 };

beforeEach(() => {
  clock.now = 1e6;
  mock.method(performance, 'now', () => clock.now);
});
afterEach(async () => {
  mock.timers.reset();
  mock.restoreAll();
  for (const engine of engines.splice(0)) await engine[Symbol.asyncDispose]();
});

export function setUp(script: Script, options: Partial<EngineOptions> = {}): Rig {
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const tell = (text: string): void => {
    told.push(text);
    for (const look of waiting) look();
  };
  const until = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!told.some((line) => line.includes(text))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const engine = createEngine({
    model: JSON.stringify(script),
    device: 'cpu',
    threads: 2,
    cacheDirectory: '/cache',
    workerFile: new URL('scripted-worker.js', import.meta.url),
    observer: {
      onState: (state) => tell(described(state)),
      onNote: (note) => tell(`note ${note}`),
      onEvent(event) {
        if (event.type === 'inference') tell(`inference ${JSON.stringify(event)}`);
        else if (event.type === 'embedding') tell(`embedding ${event.hit}`);
        else if (event.type === 'not_finite') tell(`not finite ${event.part}`);
        else tell('flagged');
      },
      onRestart: () => tell('restart'),
      onHang: () => tell('hang'),
    },
    ...options,
  });
  engines.push(engine);
  return { engine, told, until };
}

export async function open(engine: Engine): Promise<RecordedStream> {
  await engine.start();
  return RecordedStream.open(engine, parameters);
}

function described(state: EngineState): string {
  if ('what' in state) return `${state.name} ${state.what}`;
  return 'error' in state ? `${state.name} ${state.error.message}` : state.name;
}
