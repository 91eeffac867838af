import type { Logger } from 'pino';

/** Maximum number of logged origins, so that made-up ones cannot fill the log. */
const mostOrigins = 100;

/** Logs each refused origin once: browsers hide the cause from pages. */
export class OriginLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #seen = new Set<string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  /** @param address of who asked, if it is known. */
  refused({ origin = '', host = '' }: OriginHeaders, address?: string): void {
    if (this.#seen.has(origin) || this.#seen.size >= mostOrigins) return;
    this.#seen.add(origin);
    const words = 'pages of this origin are refused; to admit them, add it to the setting allowedOrigins';
    const from = address === undefined ? {} : { address };
    this.#log.warn({ origin: origin.slice(0, 200), host: host.slice(0, 200), ...from }, words);
  }
}

interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}
