import { pino, type Logger } from 'pino';
import type { Settings } from './settings.js';

/** The server's log on standard output: JSON lines, or lines for people on a terminal. */
export async function createLogger({
  logLevel,
  logFormat,
}: Pick<Settings, 'logLevel' | 'logFormat'>): Promise<Logger> {
  const pretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY);
  if (!pretty) return pino({ level: logLevel });
  const { PinoPretty } = await import('pino-pretty');
  const stream = PinoPretty({ ignore: 'pid,hostname,session', translateTime: 'SYS:HH:MM:ss', sync: true });
  return pino({ level: logLevel }, stream);
}
