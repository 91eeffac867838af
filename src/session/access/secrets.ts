import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Derives a key of 32 bytes from a secret (HKDF, RFC 5869): another for each purpose.
 * @param secret empty for a random key of this process.
 */
export function deriveKey(secret: string, purpose: string | Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret === '' ? randomBytes(32) : secret, '', purpose, 32));
}

/** Returns whether two texts are equal, in a time that does not reveal where they differ. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
