import { ProtocolError } from '../wire/protocol-error.js';
import { readApiKeys } from './api-keys.js';
import { anonymous, type Grant } from './grant.js';
import { createJwtVerifier, type JwtSettings } from './jwt.js';

export interface AccessSettings {
  /** File of API keys; empty for none. */
  readonly apiKeys: string;
  readonly jwt: JwtSettings;
}

/** Returns the settings that control who may use the server. */
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
  /** Whether a token is required. */
  readonly required: boolean;
  /**
   * @throws {ProtocolError} unauthorized, with a reason only if the token was signed with the right key; internal, if
   *   the keys for checking it cannot be fetched.
   */
  verify(token: string | undefined): Promise<Grant>;
}

/** Returns whether these settings require tokens. */
export function asksForTokens({ apiKeys, jwt }: AccessSettings): boolean {
  return apiKeys !== '' || jwt.secret !== '' || jwt.keys !== '';
}

/**
 * Without keys, everybody is admitted as the same anonymous user.
 * @throws {ApiKeyError | JwtKeyError} if keys are invalid or cannot be read.
 */
export async function createAccess(settings: AccessSettings): Promise<Access> {
  if (!asksForTokens(settings)) return { required: false, verify: () => Promise.resolve(anonymous) };
  const { apiKeys, jwt } = settings;
  const findKey = apiKeys === '' ? null : await readApiKeys(apiKeys);
  const verifyJwt = jwt.secret === '' && jwt.keys === '' ? null : await createJwtVerifier(jwt);
  return {
    required: true,
    async verify(token) {
      const grant = token === undefined ? null : (findKey?.(token) ?? (await grantOrNull(verifyJwt, token)));
      if (grant === null) throw new ProtocolError('unauthorized');
      return grant;
    },
  };
}

async function grantOrNull(
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
