import { Command, InvalidArgumentError, Option } from 'commander';
import { SignJWT } from 'jose';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { oneLine } from '../engine/as-error.js';
import { createApiKey } from '../session/access/api-keys.js';
import { readGrantLimits, type GrantLimits } from '../session/access/grant.js';
import { grantOf, limitsClaim, secretKey } from '../session/access/jwt.js';

interface TokenOptions extends GrantLimits {
  readonly apiKey?: true;
  readonly secret?: string;
  readonly key?: string;
  readonly expires: number;
  readonly audience?: string;
  readonly issuer?: string;
}

/** `millrace token`: makes a token for `millrace serve`, and prints it. Exit codes: 0, 2 wrong options. */
export function createTokenCommand(): Command {
  return new Command('token')
    .description('make a token for a user of the server')
    .argument('<subject>', 'name of the user: sessions are bound to it')
    .option('--api-key', 'an API key with its entry for the file of --api-keys, not a JSON Web Token')
    .option('--secret <text>', 'secret of the server (HS256; default: that in MILLRACE_JWT_SECRET)')
    .option('--key <file>', 'private key in PEM (RSA: RS256, P-256: ES256), instead of a secret')
    .addOption(
      new Option('--expires <duration>', 'lifetime: 90s, 15m, 12h or 30d')
        .argParser(seconds)
        .default(3600, '1h'),
    )
    .option('--audience <text>', 'claim aud')
    .option('--issuer <text>', 'claim iss')
    .option('--sessions <count>', 'sessions at the same time', Number)
    .option('--fps <number>', 'frames a second', Number)
    .option('--size <pixels>', 'largest width and height', Number)
    .option('--steps <count>', 'denoising steps', Number)
    .action(async (subject: string, options: TokenOptions) => {
      try {
        const token = options.apiKey ? apiKey(subject, options) : await jsonWebToken(subject, options);
        process.stdout.write(`${token}\n`);
      } catch (error) {
        process.stderr.write(`millrace: ${oneLine(error)}\n`);
        process.exitCode = 2;
      }
    });
}

/** Returns the key, and a line with the entry for the file, which does not have the key itself. */
function apiKey(subject: string, options: TokenOptions): string {
  const { key, entry } = createApiKey(subject, limitsOf(options));
  return `${key}\n${JSON.stringify(entry)}`;
}

async function jsonWebToken(subject: string, options: TokenOptions): Promise<string> {
  const { expires, audience, issuer } = options;
  const limits = limitsOf(options);
  const { key, algorithm } = signingKey(options);
  const exp = Math.floor(Date.now() / 1000) + expires;
  grantOf({ sub: subject, exp, ...(issuer !== undefined && { iss: issuer }) });
  const token = new SignJWT(Object.keys(limits).length > 0 ? { [limitsClaim]: limits } : {})
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(exp);
  if (audience !== undefined) token.setAudience(audience);
  if (issuer !== undefined) token.setIssuer(issuer);
  return token.sign(key);
}

function signingKey({ key: file, secret = process.env['MILLRACE_JWT_SECRET'] }: TokenOptions): {
  readonly key: Parameters<SignJWT['sign']>[0];
  readonly algorithm: string;
} {
  if (file !== undefined) {
    const key = privateKey(file);
    return { key, algorithm: key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256' };
  }
  if (secret === undefined) {
    throw new Error('give the secret of the server in MILLRACE_JWT_SECRET, or --secret, --key or --api-key');
  }
  return { key: secretKey(secret), algorithm: 'HS256' };
}

function privateKey(file: string): KeyObject {
  const text = readFileSync(file);
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new Error(`${file} is not a private key in PEM that can be read`, { cause });
  }
}

/** Reads the limits as the server does, which refuses a token with unknown ones. */
function limitsOf({ sessions, fps, size, steps }: TokenOptions): GrantLimits {
  const given = Object.entries({ sessions, fps, size, steps }).filter(([, limit]) => limit !== undefined);
  return readGrantLimits(Object.fromEntries(given));
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function seconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const value = Number(count) * (units[unit] ?? Number.NaN);
  if (!Number.isFinite(value) || value === 0)
    throw new InvalidArgumentError('It must have the form 90s or 12h.');
  return value;
}
