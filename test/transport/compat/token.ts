import { SignJWT } from 'jose';

/** A secret for `jwtSecret`. */
export const jwtSecret = 'a secret of at least 32 bytes for the tests';

/** Returns an access token of that secret. */
export async function accessToken(limits: object = {}): Promise<string> {
  return new SignJWT({ millrace: limits })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('somebody')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret));
}
