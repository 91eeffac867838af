import assert from 'node:assert/strict';
import { createCipheriv, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { serialize } from 'node:v8';
import { defaultParameters } from '@millrace/protocol';
import { createResumeTokens, type ResumeState } from '../../../src/session/live/resume-token.js';
import { repositoryRoot } from '../../support/reference.js';

const latent = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
const frame = {
  frame: 7,
  ordinal: 7,
  stageIndex: 1,
  sample: latent,
  stock: latent.map((x) => -x),
  history: { previous: latent, count: 2 },
  stockHistory: {},
};
/** What the mask of a frame keeps. */
const kept = { mask: latent.slice(0, 16), original: latent.map((x) => x / 3) };
const state: ResumeState = {
  session: 'session-1',
  subject: 'ann',
  counter: 3,
  model: 'model',
  parameters: { ...defaultParameters(), prompt: 'a fox' },
  state: {
    ordinal: 8,
    frames: [{ ...frame, kept }],
  },
  carried: [{ id: 7, captured: 12.5 }],
};
/** A stream with feedback and a prompt in transition. */
const moving: ResumeState = {
  ...state,
  state: {
    ...state.state,
    finished: latent.map((x) => x / 2),
    transitions: {
      positive: {
        from: { encoder_hidden_states: new Float32Array(500).fill(0.5) },
        method: 'slerp',
        length: { frames: 8, seconds: 0 },
        ordinal: 5,
        elapsedMs: 40,
      },
      negative: null,
    },
  },
};
const settings = { secret: 'a secret', lifetimeMs: 60_000, maxLength: 100_000 };

/** Returns a token that a server of another version, or on another Node, could make with this secret. */
function sealAs(version: number, content: Uint8Array): string {
  const purpose = Buffer.from(`millrace resume token ${version}`);
  const key = Buffer.from(hkdfSync('sha256', settings.secret, '', purpose, 32));
  const nonce = Buffer.alloc(12);
  const encryption = createCipheriv('aes-256-gcm', key, nonce).setAAD(purpose);
  const sealed = Buffer.concat([encryption.update(content), encryption.final()]);
  return Buffer.concat([Buffer.of(version), nonce, sealed, encryption.getAuthTag()]).toString('base64url');
}

describe('resume tokens', () => {
  it('can be opened by any server with the same secret, and contain what was sealed', () => {
    const token = createResumeTokens(settings).seal(state);
    assert.match(token, /^[\w-]+$/);
    assert.deepEqual(createResumeTokens(settings).open(token), state);
  });

  it('reveal nothing of their content, and are never the same', () => {
    const tokens = createResumeTokens(settings);
    const token = tokens.seal(state);
    assert.notEqual(tokens.seal(state), token);
    const bytes = Buffer.from(token, 'base64url');
    for (const text of ['ann', 'a fox', 'session-1']) assert.ok(!bytes.includes(text));
  });

  it('are invalid with another secret, or with the random one of another process', () => {
    const token = createResumeTokens(settings).seal(state);
    assert.equal(createResumeTokens({ ...settings, secret: 'another' }).open(token), null);
    const own = { ...settings, secret: '' };
    assert.equal(createResumeTokens(own).open(createResumeTokens(own).seal(state)), null);
  });

  it('expire', () => {
    let now = 1_000_000;
    const tokens = createResumeTokens({ ...settings, now: () => now });
    const token = tokens.seal(state);
    now += 59_999;
    assert.ok(tokens.open(token));
    now += 1;
    assert.equal(tokens.open(token), null);
  });

  it('are refused if they are of another version, or from a Node whose data this one cannot read', () => {
    const tokens = createResumeTokens(settings);
    const content = serialize({ ...state, expires: Date.now() + 60_000 });
    assert.deepEqual(tokens.open(sealAs(3, content)), state);
    for (const other of [2, 4]) assert.equal(tokens.open(sealAs(other, content)), null);
    // It begins with the version of its format.
    assert.equal(tokens.open(sealAs(3, Buffer.from(content).fill(99, 1, 2))), null);
  });

  it('keep the content of their version', () => {
    const kept = readFileSync(join(repositoryRoot, 'test/fixtures/resume-token.txt'), 'utf8').trim();
    const tokens = createResumeTokens({ ...settings, now: () => 0 });
    const opened = tokens.open(kept);
    // For parameters that are newer than it, the session gets the defaults.
    const parameters = { ...defaultParameters(), ...opened?.parameters };
    assert.deepEqual(
      { ...opened, parameters },
      moving,
      `Servers of other versions would misread these tokens: raise their version, and keep ${tokens.seal(moving)}`,
    );
  });

  it('are refused if any bit is changed, if they are truncated, or if they are not tokens', () => {
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

  it('are refused with a reason', () => {
    let now = 1_000_000;
    const faults: string[] = [];
    const onFault = (fault: string): number => faults.push(fault);
    const tokens = createResumeTokens({ ...settings, now: () => now, onFault });
    const token = tokens.seal(state);
    assert.ok(tokens.open(token));
    tokens.open(createResumeTokens({ ...settings, secret: 'another' }).seal(state));
    tokens.open(sealAs(4, serialize(state)));
    tokens.open(sealAs(3, Buffer.from(serialize(state)).fill(99, 1, 2)));
    tokens.open('no token');
    now += 60_000;
    tokens.open(token);
    assert.deepEqual(faults, ['key', 'version', 'version', 'version', 'expired']);
  });

  it('leave out the frames under way if they would be too long', () => {
    const tokens = createResumeTokens(settings);
    const whole = tokens.seal(state).length;
    const short = createResumeTokens({ ...settings, maxLength: whole - 1 });
    const opened = short.open(short.seal(state));
    assert.deepEqual(opened, { ...state, state: { ordinal: 8, frames: [] }, carried: [] });
  });

  it('are made without a try to seal frames whose latents alone would be too long', () => {
    const tokens = createResumeTokens(settings);
    // A try would fail: functions cannot be sealed.
    const history = { ...frame.history, step: () => {} };
    const sample = new Float32Array(settings.maxLength / 4);
    const frames = [{ ...frame, sample, history: history as typeof frame.history }];
    const opened = tokens.open(tokens.seal({ ...state, state: { ordinal: 8, frames } }));
    assert.deepEqual(opened?.state, { ordinal: 8, frames: [] });
  });

  it('leave out the frames under way first, and then prompts in transition', () => {
    const whole = createResumeTokens(settings).seal(moving).length;
    const sealedIn = (maxLength: number): ResumeState | null => {
      const tokens = createResumeTokens({ ...settings, maxLength });
      return tokens.open(tokens.seal(moving));
    };
    assert.deepEqual(sealedIn(whole), moving);
    assert.deepEqual(sealedIn(whole - 1)?.state, {
      ordinal: 8,
      frames: [],
      transitions: moving.state.transitions,
    });
    assert.deepEqual(sealedIn(whole - 2000)?.state, { ordinal: 8, frames: [] });
  });
});
