import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readTimeline, Timeline, type Change } from '../../../src/cli/run/timeline.js';
import { repositoryRoot } from '../../support/reference.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));

async function read(text: string | Buffer): Promise<readonly Change[]> {
  const file = join(folder, 'timeline.yaml');
  await writeFile(file, text);
  return readTimeline(file);
}

const changes: readonly Change[] = [
  { at: 0, over: 0, parameters: { prompt: 'oil painting' } },
  { at: 12, over: 3, parameters: { prompt: 'van gogh painting' } },
  { at: 80.5, over: 2, parameters: { prompt: 'pencil sketch', strength: 0.6 } },
];

describe('a timeline', () => {
  it('is a map from times to prompts, blends and parameters, in YAML or JSON, or a list of lines', async () => {
    const yaml = `
      1:20.5: { prompt: pencil sketch, strength: 0.6, over: 2 s }
      0:00: oil painting
      00:12: blend to van gogh painting over 3 s
    `;
    assert.deepEqual(await read(yaml), changes);
    const json = {
      '0': 'oil painting',
      '12': 'Blend to van gogh painting over 3 seconds',
      '1:20.5': { over: 2, prompt: 'pencil sketch', strength: 0.6 },
    };
    assert.deepEqual(await read(JSON.stringify(json)), changes);
    const list = '- 0:00 oil painting\n- 0:12 blend to van gogh painting over 3 s\n';
    assert.deepEqual(await read(list), changes.slice(0, 2));
  });

  it('may be UTF-16, as some shells write it', async () => {
    assert.deepEqual(await read(Buffer.from('\ufeff0:00: oil painting', 'utf16le')), changes.slice(0, 1));
    await assert.rejects(read(Buffer.from([0x30, 0x3a, 0xff])), {
      message: /timeline\.yaml: it is not valid UTF-8/,
    });
  });

  it('of the guide is one', async () => {
    const guide = await readFile(join(repositoryRoot, 'ops/docs/run.md'), 'utf8');
    const [, example = ''] = /^```yaml\n([^]*?)^```/m.exec(guide) ?? [];
    assert.deepEqual(
      (await read(example)).map(({ at, over }) => [at, over]),
      [
        [0, 0],
        [12, 3],
        [20, 2],
      ],
    );
  });

  it('leaves words alone that are not about time', async () => {
    const [bridge, blend] = await read('0: a bridge over 3 s curves\n1: blend to a bridge over 2 rivers');
    assert.deepEqual(bridge, { at: 0, over: 0, parameters: { prompt: 'a bridge over 3 s curves' } });
    assert.deepEqual(blend, { at: 1, over: 1, parameters: { prompt: 'a bridge over 2 rivers' } });
  });

  it('names what is wrong, and in which file', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /it must be a map from times/],
      ['{}', /it has no times/],
      ['just text', /it must be a map from times/],
      ['- 12', /each line must begin with its time.*not 12/],
      ['soon: oil', /a time must be like 0:12, 1:02:03 or 12\.5, not "soon"/],
      ['-1: oil', /a time must be/],
      ['0: 5', /at 0 there must be a prompt or a map of parameters, not 5/],
      ['0: { prompt: a, over: 61 }', /at 0, over must be seconds from 0 to 60, not 61/],
      ['0: { colour: red }', /at 0, colour is no parameter/],
      ['0: { width: 512 }', /at 0, width cannot change during a run/],
      ['0: { transition_frames: 5 }', /transition_frames cannot change/],
      ['0: [a', /timeline\.yaml: .*at line 1/],
    ];
    for (const [text, message] of cases) {
      await assert.rejects(read(text), (error: Error) => {
        assert.equal(error.name, 'RunError', text);
        assert.match(error.message, /timeline\.yaml: [^\n]+$/);
        assert.match(error.message, message);
        return true;
      });
    }
    await assert.rejects(readTimeline(join(folder, 'missing')), {
      message: /missing cannot be read \(ENOENT\)/,
    });
  });

  it('gives each change once, with its transition in frames of a file or seconds of a live input', () => {
    const timebase = { numerator: 1, denominator: 10 };
    const rate = { numerator: 10, denominator: 1 };
    const later = changes.slice(1);
    const file = new Timeline(later, { timebase, rate, isLive: false });
    assert.deepEqual(file.take(50), []);
    assert.deepEqual(file.take(169), [], 'times count from the first frame');
    assert.deepEqual(file.take(170), [
      { prompt: 'van gogh painting', transition_frames: 30, transition_seconds: 0 },
    ]);
    assert.deepEqual(file.take(171), []);
    const live = new Timeline(later, { timebase, rate: null, isLive: true });
    live.take(0);
    assert.deepEqual(
      live.take(900).map(({ transition_frames: frames, transition_seconds: seconds }) => [frames, seconds]),
      [
        [0, 3],
        [0, 2],
      ],
    );
    const varying = new Timeline(later, { timebase, rate: null, isLive: false });
    for (let second = 0; second < 12; second++) varying.take(second * 10);
    assert.equal(varying.take(120)[0]?.transition_frames, 3, 'one frame a second so far');
  });
});
