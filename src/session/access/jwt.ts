import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { readGrantLimits, type Grant } from './grant.js';

export interface JwtSettings {
  /** Shared secret for HS256; empty for none. */
  readonly secret: string;
  /** Public keys for RS256 and ES256: a PEM or JWKS file, or the URL of a JWKS; empty for none. */
  readonly keys: string;
  /** What the claims `aud` and `iss` must be; empty for anything. */
  readonly audience: string;
  readonly issuer: string;
}

/** Keys that cannot be used; the message is one line. */
class JwtKeyError extends Error {
  override readonly name = 'JwtKeyError';
}

/** Name of the claim that holds the limits of a token. */
export const limitsClaim = 'millrace';

/** Shortest secret in bytes: as long as the hash (RFC 7518 section 3.2). */
const shortestSecret = 32;

/**
 * @returns what checks a JWT (RFC 7519); it throws, whatever is wrong with the token.
 * @throws {JwtKeyError} if the keys cannot be used.
 */
export async function createJwtVerifier(settings: JwtSettings): Promise<(token: string) => Promise<Grant>> {
  const { audience, issuer } = settings;
  const options = {
    requiredClaims: ['sub', 'exp'],
    clockTolerance: 5,
    ...(audience !== '' && { audience }),
    ...(issuer !== '' && { issuer }),
  };
  const verify = await signatureCheck(settings);
  return async (token) => grantOf(await verify(token, options));
}

type Options = Parameters<typeof jwtVerify>[2];
type Check = (token: string, options: Options) => Promise<JWTPayload>;

async function signatureCheck({ secret, keys }: JwtSettings): Promise<Check> {
  if (secret !== '') {
    const bytes = new TextEncoder().encode(secret);
    if (bytes.length < shortestSecret) {
      throw new JwtKeyError(`the secret for tokens must have at least ${shortestSecret} bytes`);
    }
    return async (token, options) => {
      const { payload } = await jwtVerify(token, bytes, { ...options, algorithms: ['HS256'] });
      return payload;
    };
  }
  const find = await publicKeys(keys);
  return async (token, options) => {
    const { payload } = await jwtVerify(token, find, { ...options, algorithms: ['RS256', 'ES256'] });
    return payload;
  };
}

async function publicKeys(source: string): Promise<JWTVerifyGetKey> {
  try {
    if (/^https?:/.test(source)) return createRemoteJWKSet(new URL(source));
    const text = await readFile(source, 'utf8');
    if (text.trimStart().startsWith('{')) return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
    const key = createPublicKey(text);
    return () => Promise.resolve(key);
  } catch (error) {
    throw new JwtKeyError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function grantOf(payload: JWTPayload): Grant {
  const { sub = '', exp = 0 } = payload;
  if (sub === '') throw new TypeError('sub is empty');
  return {
    subject: `jwt:${payload.iss ?? ''}:${sub}`,
    expires: exp * 1000,
    limits: readGrantLimits(payload[limitsClaim]),
  };
}
