import { pino, type DestinationStream, type Logger } from 'pino';
import type { Settings } from '../settings/settings.js';

/** Names of secret fields, which are never logged, wherever a logged object has them. */
const secretFields = [
  'authorization',
  'token',
  'resume',
  'apiKey',
  'jwtSecret',
  'metricsToken',
  'adminToken',
  'resumeKey',
  'sessionStore',
  'secret',
  'password',
  'cookie',
];
const redact = {
  paths: secretFields.flatMap((name) => ['', '*.', '*.*.'].map((parents) => parents + name)),
  censor: '[secret]',
};

/**
 * Creates the server's log: JSON lines, or readable lines on a terminal.
 * @param destination instead of standard output; always JSON lines.
 */
export async function createLogger(
  { logLevel, logFormat }: Pick<Settings, 'logLevel' | 'logFormat'>,
  destination?: DestinationStream,
): Promise<Logger> {
  const options = { level: logLevel, redact };
  if (destination) return pino(options, destination);
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY);
  if (!pretty) return pino(options);
  const { PinoPretty } = await import('pino-pretty');
  const stream = PinoPretty({
    // Fields that the messages repeat, or that only a search through many lines needs.
    ignore: 'pid,hostname,session,engine,doing,signal,url,position,slots',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    sync: true,
  });
  return pino(options, stream);
}
