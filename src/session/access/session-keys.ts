import { createHmac } from 'node:crypto';
import { deriveKey, sameText } from './secrets.js';

export interface SessionKeySettings {
  /** Shared by servers that resume each other's sessions; empty for a random key of this process. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * The keys of sessions: that of the owner, and those in links for viewers. Servers with the same secret make the same
 * keys, so that they stay valid when the session moves. Nothing is stored: each key is signed (HMAC-SHA256).
 */
export interface SessionKeys {
  /** Returns the key that proves that its holder owns the session. */
  ofOwner(session: string): string;
  isOfOwner(session: string, key: string): boolean;
  /** Returns a key that lets its holder watch the session's results until the seconds are over. */
  ofViewer(session: string, seconds: number): string;
  /** Returns whether the key is for watching this session, and has not expired. */
  isOfViewer(session: string, key: string): boolean;
}

/** Binds the signing key to this use. Change it if the form of the keys changes. */
const purpose = 'millrace session keys 1';

export function createSessionKeys({ secret, now = Date.now }: SessionKeySettings): SessionKeys {
  const signingKey = deriveKey(secret, purpose);
  const sign = (...parts: readonly string[]): string =>
    createHmac('sha256', signingKey).update(JSON.stringify(parts)).digest('base64url');
  const ofOwner = (session: string): string => sign('owner', session);
  const viewerKey = (session: string, expires: string): string =>
    `${expires}.${sign('viewer', session, expires)}`;
  return {
    ofOwner,
    isOfOwner: (session, key) => sameText(key, ofOwner(session)),
    ofViewer: (session, seconds) => viewerKey(session, Math.ceil(now() / 1000 + seconds).toString(36)),
    isOfViewer(session, key) {
      const [expires = ''] = key.split('.');
      return sameText(key, viewerKey(session, expires)) && now() / 1000 < Number.parseInt(expires, 36);
    },
  };
}
