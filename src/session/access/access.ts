import { errors } from '@millrace/protocol';
import { ProtocolError } from '../wire/protocol-error.js';
import { readApiKeys } from './api-keys.js';
import { anonymous, type Grant } from './grant.js';
import { createJwtVerifier, type JwtSettings } from './jwt.js';

export interface AccessSettings {
  /** File of API keys; empty for none. */
  readonly apiKeys: string;
  readonly jwt: JwtSettings;
}

/** The settings of the server that say who may use it. */
export function accessSettings(settings: {
  readonly apiKeys: string;
  readonly jwtSecret: string;
  readonly jwtKeys: string;
  readonly jwtAudience: string;
  readonly jwtIssuer: string;
}): AccessSettings {
  const { apiKeys, jwtSecret: secret, jwtKeys: keys, jwtAudience: audience, jwtIssuer: issuer } = settings;
  return { apiKeys, jwt: { secret, keys, audience, issuer } };
}

/** Decides who may use the server. */
export interface Access {
  /** Whether a token is asked for. */
  readonly required: boolean;
  /**
   * @throws {ProtocolError} unauthorized, which says what is wrong only if the token was signed with the right key;
   * internal, if the keys to check it with cannot be fetched.
   */
  verify(token: string | undefined): Promise<Grant>;
}

/** Whether these settings ask for tokens. */
export function asksForTokens({ apiKeys, jwt }: AccessSettings): boolean {
  return apiKeys !== '' || jwt.secret !== '' || jwt.keys !== '';
}

/**
 * With no keys set, everybody is let in as one and the same.
 * @throws {ApiKeyError | JwtKeyError} if keys cannot be used.
 */
export async function createAccess(settings: AccessSettings): Promise<Access> {
  if (!asksForTokens(settings)) return { required: false, verify: () => Promise.resolve(anonymous) };
  const { apiKeys, jwt } = settings;
  const findKey = apiKeys === '' ? null : await readApiKeys(apiKeys);
  const verifyJwt = jwt.secret === '' && jwt.keys === '' ? null : await createJwtVerifier(jwt);
  return {
    required: true,
    async verify(token) {
      const grant = token === undefined ? null : (findKey?.(token) ?? (await tried(verifyJwt, token)));
      if (grant === null) throw new ProtocolError('unauthorized', errors.unauthorized.meaning);
      return grant;
    },
  };
}

async function tried(
  verify: ((token: string) => Promise<Grant>) | null,
  token: string,
): Promise<Grant | null> {
  try {
    return (await verify?.(token)) ?? null;
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return null;
  }
}
