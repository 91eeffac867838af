import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { asError } from '../../engine/as-error.js';
import { decodeText } from '../../text/decode-text.js';
import { ProtocolError } from '../wire/protocol-error.js';
import { readGrantLimits, type Grant } from './grant.js';

export interface JwtSettings {
  /** Shared secret for HS256; empty for none. */
  readonly secret: string;
  /** Public keys for RS256 and ES256: a PEM or JWKS file, or the URL of a JWKS; empty for none. */
  readonly keys: string;
  /** Required values of the claims `aud` and `iss`; empty for any. */
  readonly audience: string;
  readonly issuer: string;
}

/** Invalid or unreadable keys; the message is one line. */
class JwtKeyError extends Error {
  override readonly name = 'JwtKeyError';
}

/** Name of the claim that holds the limits of a token. */
export const limitsClaim = 'millrace';

/** Longest `sub` and `iss` in characters; OpenID Connect allows 255 for `sub`. */
const longestName = 1024;
/** Half of a surrogate pair, which UTF-8 cannot encode. */
const loneSurrogate = /\p{Surrogate}/u;
/** Latest `exp` in seconds since 1970: the last moment that a Date can represent. */
const latest = 8_640_000_000_000;

/** Shortest secret in bytes: as long as the hash (RFC 7518 section 3.2). */
const shortestSecret = 32;

/** How keys from a URL are cached. */
export interface KeyCache {
  /** Milliseconds after which they are fetched again; if that fails, no new session can be opened. */
  readonly maxAge: number;
  /** Minimum milliseconds between fetches that tokens with unknown keys cause. */
  readonly cooldown: number;
}

const usualCache: KeyCache = { maxAge: 600_000, cooldown: 30_000 };

/**
 * @returns a function that verifies a JWT (RFC 7519). It throws ProtocolError unauthorized, naming the invalid claim,
 *   if the signature is valid; ProtocolError internal while the keys cannot be fetched; other errors for other faults.
 * @throws {JwtKeyError} if the keys are invalid or cannot be read.
 */
export async function createJwtVerifier(
  settings: JwtSettings,
  cache = usualCache,
): Promise<(token: string) => Promise<Grant>> {
  const { audience, issuer } = settings;
  const options = {
    requiredClaims: ['sub', 'exp'],
    clockTolerance: 5,
    ...(audience !== '' && { audience }),
    ...(issuer !== '' && { issuer }),
  };
  const verify = await signatureCheck(settings, cache);
  return async (token) => {
    let payload: JWTPayload;
    try {
      payload = await verify(token, options);
    } catch (error) {
      // The signature is valid, so the holder of the token may learn what is wrong.
      const { JWTExpired, JWTClaimValidationFailed } = errors;
      if (error instanceof JWTExpired) return refuseClaim('exp has passed');
      if (error instanceof JWTClaimValidationFailed)
        return refuseClaim(`${error.claim} is missing or not what this server requires`);
      throw error;
    }
    return grantOf(payload);
  };
}

type Options = Parameters<typeof jwtVerify>[2];
type VerifyToken = (token: string, options: Options) => Promise<JWTPayload>;

/** Returns the key for a secret. @throws {JwtKeyError} if it is too short. */
export function secretKey(secret: string): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= shortestSecret) return bytes;
  throw new JwtKeyError(`the secret for tokens must have at least ${shortestSecret} bytes`);
}

async function signatureCheck({ secret, keys }: JwtSettings, cache: KeyCache): Promise<VerifyToken> {
  if (secret !== '' && keys !== '') {
    throw new JwtKeyError('tokens are checked with jwtSecret or with jwtKeys, not with both; leave one out');
  }
  if (secret !== '') {
    const bytes = secretKey(secret);
    return async (token, options) => {
      const { payload } = await jwtVerify(token, bytes, { ...options, algorithms: ['HS256'] });
      return payload;
    };
  }
  const find = await publicKeys(keys, cache);
  return async (token, options) => {
    const { payload } = await jwtVerify(token, find, { ...options, algorithms: ['RS256', 'ES256'] });
    return payload;
  };
}

async function publicKeys(source: string, cache: KeyCache): Promise<JWTVerifyGetKey> {
  try {
    if (/^https?:/.test(source)) return remoteKeys(new URL(source), cache);
    const text = decodeText(await readFile(source));
    if (text.trimStart().startsWith('{')) return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
    const key = createPublicKey(text);
    return () => Promise.resolve(key);
  } catch (error) {
    throw new JwtKeyError(`${source}: ${asError(error).message}`);
  }
}

function remoteKeys(url: URL, { maxAge, cooldown }: KeyCache): JWTVerifyGetKey {
  const find = createRemoteJWKSet(url, { cacheMaxAge: maxAge, cooldownDuration: cooldown });
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (cause) {
      if (isTokenFault(cause)) throw cause;
      throw new ProtocolError(
        'internal',
        'the keys for checking tokens cannot be fetched at the moment',
        {},
        { cause },
      );
    }
  };
}

/** Returns whether the token has no matching key; otherwise the keys could not be fetched. */
function isTokenFault(error: unknown): boolean {
  const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors;
  return [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported].some(
    (kind) => error instanceof kind,
  );
}

/**
 * Returns what the claims of a token grant.
 * @throws {ProtocolError} unauthorized, naming the invalid claim: the signature was checked before.
 */
export function grantOf(payload: JWTPayload): Grant {
  const {
    iss = '',
    sub,
    exp,
  } = payload as { readonly iss?: unknown; readonly sub?: unknown; readonly exp?: unknown };
  if (!isName(sub) || sub === '') refuseClaim(`sub must be a string of 1 to ${longestName} characters`);
  if (!isName(iss)) refuseClaim(`iss must be a string of at most ${longestName} characters`);
  if (typeof exp !== 'number' || !(exp <= latest))
    refuseClaim(`exp must be a number of seconds, at most ${latest}`);
  try {
    const limits = readGrantLimits(payload[limitsClaim]);
    return { subject: `jwt:${encodeURIComponent(iss)}:${sub}`, expires: exp * 1000, limits };
  } catch (error) {
    return refuseClaim(`${limitsClaim}: ${asError(error).message}`);
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestName && !loneSurrogate.test(value);
}

function refuseClaim(fault: string): never {
  throw new ProtocolError('unauthorized', `The token has an invalid claim: ${fault}.`);
}
