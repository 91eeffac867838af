import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { ClientAddresses } from './client-addresses.js';
import { originAllowed, type OriginRules } from './origin.js';

/** Maximum number of logged origins, so that made-up ones cannot fill the log. */
const mostOrigins = 100;

/** Logs each refused origin once: browsers hide the cause from pages. */
export class OriginLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #clients: Pick<ClientAddresses, 'of'>;
  readonly #seen = new Set<string>();

  constructor(log: Pick<Logger, 'warn'>, clients: Pick<ClientAddresses, 'of'>) {
    this.#log = log;
    this.#clients = clients;
  }

  /** Takes note of a request that was refused for its origin. */
  refused(request: IncomingMessage): void {
    const { origin = '', host = '' } = request.headers;
    if (this.#seen.has(origin) || this.#seen.size >= mostOrigins) return;
    this.#seen.add(origin);
    const words = 'pages of this origin are refused; to admit them, add it to the setting allowedOrigins';
    const address = this.#clients.of(request);
    this.#log.warn({ origin: origin.slice(0, 200), host: host.slice(0, 200), address }, words);
  }
}

/** Returns whether the page of a request may use the server, and logs the origin of one that may not. */
export function admitPage(
  request: IncomingMessage,
  { origins, originLog }: { readonly origins: OriginRules; readonly originLog: OriginLog },
): boolean {
  const { origin, host } = request.headers;
  const isAllowed = originAllowed(origin, host, origins);
  if (!isAllowed) originLog.refused(request);
  return isAllowed;
}
