import assert from 'node:assert/strict';
import { createCipheriv, hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { createResumeTokens, type ResumeState } from '../../../src/session/seats/resume-token.js';
import { repositoryRoot } from '../../support/reference.js';

const latent = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
const frame = { frame: 7, ordinal: 7, stageIndex: 1, sample: latent, stock: latent.map((x) => -x) };
const state: ResumeState = {
  session: 'session-1',
  subject: 'ann',
  counter: 3,
  model: 'model',
  parameters: { ...defaultParameters(), prompt: 'a fox' },
  state: { ordinal: 8, frames: [{ ...frame, history: { previous: latent, count: 2 }, stockHistory: {} }] },
  carried: [{ id: 7, captured: 12.5 }],
};
const embedding = new Float32Array([0.5, -1]);
const way = { method: 'slerp', length: { frames: 8, seconds: 0 }, ordinal: 5, elapsedMs: 40 } as const;
/** As of all kinds as there are, for servers of other versions. */
const settings = { secret: 'a secret', lifetimeMs: 60_000, maxLength: 100_000 };

describe('resume tokens', () => {
  it('give back what went in, on any server with the same secret', () => {
    const token = createResumeTokens(settings).seal(state);
    assert.match(token, /^[\w-]+$/);
    assert.deepEqual(createResumeTokens(settings).open(token), state);
  });

  it('tell nothing of what is in them, and are never the same', () => {
    const tokens = createResumeTokens(settings);
    const token = tokens.seal(state);
    assert.notEqual(tokens.seal(state), token);
    const bytes = Buffer.from(token, 'base64url');
    for (const text of ['ann', 'a fox', 'session-1']) assert.ok(!bytes.includes(text));
  });

  it('are of no use with another secret, or with one made up for a process', () => {
    const token = createResumeTokens(settings).seal(state);
    assert.equal(createResumeTokens({ ...settings, secret: 'another' }).open(token), null);
    const own = { ...settings, secret: '' };
    assert.equal(createResumeTokens(own).open(createResumeTokens(own).seal(state)), null);
  });

  it('run out', () => {
    let now = 1_000_000;
    const tokens = createResumeTokens({ ...settings, now: () => now });
    const token = tokens.seal(state);
    now += 59_999;
    assert.ok(tokens.open(token));
    now += 1;
    assert.equal(tokens.open(token), null);
  });

  it('are refused when any bit is changed, or they are cut or none', () => {
    const tokens = createResumeTokens({ ...settings, maxLength: 0 });
    const bytes = Buffer.from(tokens.seal(state), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 7) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(tokens.open(changed.toString('base64url')), null, `bit ${bit}`);
    }
    for (const length of [0, 1, 13, 29, bytes.length - 1]) {
      assert.equal(tokens.open(bytes.subarray(0, length).toString('base64url')), null);
    }
    assert.equal(tokens.open('no token'), null);
  });

  it('leave out the frames under way where they would be too long', () => {
    const tokens = createResumeTokens(settings);
    const whole = tokens.seal(state).length;
    const short = createResumeTokens({ ...settings, maxLength: whole - 1 });
    const opened = short.open(short.seal(state));
    assert.deepEqual(opened, { ...state, state: { ordinal: 8, frames: [] }, carried: [] });
  });

  it('leave out the frames under way first, and then prompts that are turning into others', () => {
    const from = { embedding: new Float32Array(500).fill(0.5) };
    const length = { frames: 8, seconds: 0 };
    const positive = { from, method: 'slerp', length, ordinal: 5, elapsedMs: 40 } as const;
    const transitions = { positive, negative: null };
    const turning = { ...state, state: { ...state.state, transitions } };
    const whole = createResumeTokens(settings).seal(turning).length;
    const sealedIn = (maxLength: number): ResumeState | null => {
      const tokens = createResumeTokens({ ...settings, maxLength });
      return tokens.open(tokens.seal(turning));
    };
    assert.deepEqual(sealedIn(whole), turning);
    assert.deepEqual(sealedIn(whole - 1)?.state, { ordinal: 8, frames: [], transitions });
    assert.deepEqual(sealedIn(whole - 2000)?.state, { ordinal: 8, frames: [] });
  });
});
