import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { TokenFaults } from '../../../src/session/live/token-faults.js';
import { stopTime } from '../../support/stopped-time.js';

interface Rig {
  readonly faults: TokenFaults;
  /** What was logged. */
  readonly lines: { readonly level: number; readonly cause: string; readonly tokens: number; msg: string }[];
  readonly pass: (ms: number) => void;
  readonly counted: (cause: string) => Promise<number>;
}

function setUp(t: TestContext, hasKey: boolean): Rig {
  const pass = stopTime(t);
  const lines: Rig['lines'] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line) as Rig['lines'][number]) });
  const metrics = createMetrics(undefined, () => Promise.resolve([]));
  const counted = async (cause: string): Promise<number> => {
    const { body } = await metrics.render();
    return Number(
      new RegExp(`^millrace_resume_faults_total\\{cause="${cause}"\\} (\\d+)$`, 'm').exec(body)?.[1],
    );
  };
  return { faults: new TokenFaults(hasKey, metrics, log), lines, pass, counted };
}

const warn = 40;
const info = 30;

describe('resume tokens that cannot be opened', () => {
  it('of another key are counted, and logged once a minute with what to do', async (t) => {
    const { faults, lines, pass, counted } = setUp(t, true);
    for (let i = 0; i < 1000; i++) faults.note('key');
    assert.equal(await counted('key'), 1000);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, warn);
    assert.match(lines[0]?.msg ?? '', /give all servers of the fleet the same resumeKey$/);
    pass(59_000);
    faults.note('key');
    assert.equal(lines.length, 1);
    pass(1500);
    faults.note('key');
    assert.deepEqual(
      lines.map(({ tokens }) => tokens),
      [1, 1001],
    );
  });

  it('are no surprise without a key, in an update, or after a long time: each cause has a line of its own', async (t) => {
    const { faults, lines, counted } = setUp(t, false);
    for (const cause of ['key', 'version', 'expired'] as const) {
      faults.note(cause);
      assert.equal(await counted(cause), 1);
    }
    assert.deepEqual(
      lines.map(({ level, cause }) => [level, cause]),
      [
        [info, 'key'],
        [info, 'version'],
        [info, 'expired'],
      ],
    );
    assert.match(lines[0]?.msg ?? '', /has no resumeKey/);
    assert.match(lines[2]?.msg ?? '', /resumeSeconds, or the clocks/);
  });
});
