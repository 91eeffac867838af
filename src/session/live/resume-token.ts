import type { StreamParameters } from '@millrace/protocol';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { StreamState } from '../../engine/engine.js';
import { deriveKey } from '../access/secrets.js';
import type { CarriedFrame } from '../frames/frame-ledger.js';

/** Everything that a server needs to continue a session. */
export interface ResumeState {
  readonly session: string;
  /** The user that the session belongs to. */
  readonly subject: string;
  /** Rises with each token of the session. */
  readonly counter: number;
  readonly model: string;
  /** Without those that are newer than the token. */
  readonly parameters: StreamParameters;
  readonly state: StreamState;
  /** What the server knows of the frames in `state`. */
  readonly carried: readonly CarriedFrame[];
}

export interface ResumeTokenSettings {
  /** Shared by servers that resume each other's sessions; empty for a random key of this process. */
  readonly secret: string;
  readonly lifetimeMs: number;
  /** Maximum length of a token; what makes it longer is left out: frames under way and feedback, then transitions. */
  readonly maxLength: number;
  /** Called with the reason when a token cannot be opened. */
  readonly onFault?: (fault: TokenFault) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Why a token cannot be opened: another key sealed it, or it was changed; it is of another version, or none; it has expired. */
export type TokenFault = 'key' | 'version' | 'expired';

/** Seals sessions into tokens (AES-256-GCM), and opens those that were sealed with the same key. */
export interface ResumeTokens {
  seal(state: ResumeState): string;
  /** @returns null if the token is damaged, has another key or version, or has expired. */
  open(token: string): ResumeState | null;
}

/**
 * Version of tokens and their contents. Raise it with any change of `ResumeState` and its parts, including the state of
 * solvers, and with any change of a parameter; not with a new parameter, for which sessions that resume without it get
 * its default. Tokens of another version are refused.
 */
const version = 3;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';
/** Binds keys and tokens to this use. */
const purpose = Buffer.from(`millrace resume token ${version}`);

export function createResumeTokens(settings: ResumeTokenSettings): ResumeTokens {
  const { secret, lifetimeMs, maxLength, onFault = () => {}, now = Date.now } = settings;
  const key = deriveKey(secret, purpose);
  const seal = (state: ResumeState): string => {
    const nonce = randomBytes(nonceBytes);
    const encryption = createCipheriv(cipher, key, nonce).setAAD(purpose);
    const content = serialize({ ...state, expires: now() + lifetimeMs });
    const sealed = [encryption.update(content), encryption.final()];
    return Buffer.concat([Buffer.of(version), nonce, ...sealed, encryption.getAuthTag()]).toString(
      'base64url',
    );
  };
  const refuse = (fault: TokenFault): null => {
    onFault(fault);
    return null;
  };
  return {
    seal(state) {
      const { ordinal, transitions } = state.state;
      // Many frames under way take far more: sealing them in vain would stop the event loop for long.
      const whole = bytesIn(state.state) <= maxLength ? seal(state) : null;
      if (whole !== null && whole.length <= maxLength) return whole;
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
      if (bytes[0] !== version || bytes.length <= 1 + nonceBytes + tagBytes) return refuse('version');
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(purpose);
      decryption.setAuthTag(bytes.subarray(-tagBytes));
      let opened: Buffer;
      try {
        const sealed = bytes.subarray(1 + nonceBytes, -tagBytes);
        opened = Buffer.concat([decryption.update(sealed), decryption.final()]);
      } catch {
        return refuse('key');
      }
      let content: ResumeState & { readonly expires: number };
      try {
        // Its form needs no check, since only this version seals it. Reading it fails if a newer Node wrote it.
        content = deserialize(opened) as typeof content;
      } catch {
        return refuse('version');
      }
      const { expires, ...state } = content;
      return now() < expires ? state : refuse('expired');
    },
  };
}

/** Returns the bytes of all latents and other arrays in a value. */
function bytesIn(part: unknown): number {
  if (ArrayBuffer.isView(part)) return part.byteLength;
  if (typeof part !== 'object' || part === null) return 0;
  return Object.values(part).reduce((sum: number, value: unknown) => sum + bytesIn(value), 0);
}
