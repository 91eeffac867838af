import type { Logger } from 'pino';

/** Most origins that are logged, so that made-up ones cannot fill the log. */
const mostOrigins = 100;

/** Logs each refused origin once: browsers do not show their pages the cause. */
export class OriginLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #seen = new Set<string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  refused({
    origin = '',
    host = '',
  }: {
    readonly origin?: string | undefined;
    readonly host?: string | undefined;
  }): void {
    if (this.#seen.has(origin) || this.#seen.size >= mostOrigins) return;
    this.#seen.add(origin);
    const words = 'pages of this origin are refused; the setting allowedOrigins admits them';
    this.#log.warn({ origin: origin.slice(0, 200), host: host.slice(0, 200) }, words);
  }
}
