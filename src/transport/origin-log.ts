import type { Logger } from 'pino';

/** Origins that are logged at most, so that made-up ones cannot fill the log. */
const mostOrigins = 100;

/** Logs each origin whose pages are refused, once: browsers tell the pages themselves too little to find the cause. */
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
    const words = 'pages of this origin are refused; the setting allowedOrigins lets them in';
    this.#log.warn({ origin: origin.slice(0, 200), host: host.slice(0, 200) }, words);
  }
}
