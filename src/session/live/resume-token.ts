import type { StreamParameters } from '@millrace/protocol';
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { StreamState } from '../../engine/engine.js';
import type { CarriedFrame } from '../frames/frame-ledger.js';

/** All that a server needs to go on with a session. */
export interface ResumeState {
  readonly session: string;
  /** Whose session it is. */
  readonly subject: string;
  /** Rises with each token of the session. */
  readonly counter: number;
  readonly model: string;
  readonly parameters: StreamParameters;
  readonly state: StreamState;
  /** What the server knows of the frames in `state`. */
  readonly carried: readonly CarriedFrame[];
}

export interface ResumeTokenSettings {
  /** What servers share that resume each other's sessions; empty for a key of this process alone. */
  readonly secret: string;
  readonly lifetimeMs: number;
  /** Longest token; frames under way, and then transitions, that would make it longer are left out. */
  readonly maxLength: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Seals sessions into tokens (AES-256-GCM) and opens them. What comes out went in on a server with the same key. */
export interface ResumeTokens {
  readonly lifetimeMs: number;
  seal(state: ResumeState): string;
  /** @returns null if the token is damaged, of another key or version, or too old. */
  open(token: string): ResumeState | null;
}

/**
 * Of tokens and all that they hold: to be raised with any change of `ResumeState` and what it is made of, parameters
 * and the state of solvers included. Tokens of another version are refused.
 */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';
/** What is sealed stands for nothing but this. */
const purpose = Buffer.from(`millrace resume token ${version}`);

export function createResumeTokens(settings: ResumeTokenSettings): ResumeTokens {
  const { secret, lifetimeMs, maxLength, now = Date.now } = settings;
  const key = Buffer.from(hkdfSync('sha256', secret === '' ? randomBytes(32) : secret, '', purpose, 32));
  const seal = (state: ResumeState): string => {
    const nonce = randomBytes(nonceBytes);
    const encryption = createCipheriv(cipher, key, nonce).setAAD(purpose);
    const content = serialize({ ...state, expires: now() + lifetimeMs });
    const sealed = [encryption.update(content), encryption.final()];
    return Buffer.concat([Buffer.of(version), nonce, ...sealed, encryption.getAuthTag()]).toString(
      'base64url',
    );
  };
  return {
    lifetimeMs,
    seal(state) {
      const { ordinal, transitions } = state.state;
      const whole = seal(state);
      if (whole.length <= maxLength) return whole;
      const withoutFrames = {
        ...state,
        state: { ordinal, frames: [], ...(transitions && { transitions }) },
        carried: [],
      };
      const token = seal(withoutFrames);
      return token.length <= maxLength ? token : seal({ ...withoutFrames, state: { ordinal, frames: [] } });
    },
    open(token) {
      const bytes = Buffer.from(token, 'base64url');
      if (bytes[0] !== version || bytes.length <= 1 + nonceBytes + tagBytes) return null;
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(purpose);
      decryption.setAuthTag(bytes.subarray(-tagBytes));
      let content: ResumeState & { readonly expires: number };
      try {
        const sealed = bytes.subarray(1 + nonceBytes, -tagBytes);
        const opened = Buffer.concat([decryption.update(sealed), decryption.final()]);
        // Its form needs no check: only code of this version can have sealed it; but a newer Node may have run it.
        content = deserialize(opened) as typeof content;
      } catch {
        return null;
      }
      const { expires, ...state } = content;
      return now() < expires ? state : null;
    },
  };
}
