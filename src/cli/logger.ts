import { pino, type Logger } from 'pino';
import type { Settings } from './settings.js';

/** What may let somebody in, wherever an object that is logged has it. */
const secrets = ['token', 'resume', 'authorization', 'cookie', 'jwtSecret', 'metricsToken', 'resumeKey'];
const redact = secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** The server's log on standard output: JSON lines, or lines for people on a terminal. */
export async function createLogger({
  logLevel,
  logFormat,
}: Pick<Settings, 'logLevel' | 'logFormat'>): Promise<Logger> {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY);
  if (!pretty) return pino({ level: logLevel, redact });
  const { PinoPretty } = await import('pino-pretty');
  const stream = PinoPretty({ ignore: 'pid,hostname,session', translateTime: 'SYS:HH:MM:ss', sync: true });
  return pino({ level: logLevel, redact }, stream);
}
