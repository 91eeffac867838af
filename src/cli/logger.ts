import { pino, type DestinationStream, type Logger } from 'pino';
import type { Settings } from '../settings/settings.js';

/** Fields that hold what nobody may read in a log, wherever an object that is logged has them. */
const secretFields = [
  'authorization',
  'token',
  'resume',
  'apiKey',
  'jwtSecret',
  'metricsToken',
  'adminToken',
  'resumeKey',
  'secret',
  'password',
  'cookie',
];
const redact = {
  paths: secretFields.flatMap((name) => ['', '*.', '*.*.'].map((parents) => parents + name)),
  censor: '[secret]',
};

/**
 * The server's log: JSON lines, or lines for people on a terminal.
 * @param destination where it goes instead of the standard output; always as JSON lines.
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
    // What the messages say too, and what only a search through many lines needs.
    ignore: 'pid,hostname,session,engine,doing,signal,url,position,slots',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    sync: true,
  });
  return pino(options, stream);
}
