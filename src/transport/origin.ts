import { isIP } from 'node:net';

/**
 * Returns whether only programs of this machine can reach the address (RFC 1122 section 3.2.1.3, RFC 4291 section
 * 2.5.3).
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/** Why a request with a foreign `Host` is refused. */
export const foreignHost =
  'The server listens on a loopback address, and the Host header of the request has another name. Use localhost, or ' +
  'have the proxy pass on a host that --allowed-origins lists.';

/** Returns the name in a `Host` header, without its port; null if the header is invalid. */
function nameOf(host: string): string | null {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/** Returns whether a `Host` header has a loopback name. */
export function namesLoopback(host: string | undefined): boolean {
  const name = nameOf(host ?? '');
  return name !== null && isLoopback(name);
}

export interface OriginRules {
  /** Origins (RFC 6454) besides the server's own that may connect; `*` allows all. */
  readonly allowed: readonly string[];
  /** Whether the server listens on a loopback address only. */
  readonly loopback: boolean;
}

/**
 * Returns whether a page of this origin may use the server. Browsers let every page open WebSockets to any server, so
 * the server has to check. Without an Origin header, the request is not from a browser.
 *
 * A server on a loopback address also checks the host name of the page: a foreign name that was made to resolve to
 * 127.0.0.1 (DNS rebinding) would otherwise pass as the server's own.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  { allowed, loopback }: OriginRules,
): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.host !== host?.toLowerCase()) return false;
  return !loopback || isLoopback(url.hostname);
}

/**
 * Returns whether a request for this `Host` may be answered. A foreign name can be made to resolve to 127.0.0.1 (DNS
 * rebinding). To the browser, its pages then have the same origin as the server: it sends no Origin with a GET, and
 * lets them read the answer. So a server on a loopback address answers only to names of this machine and to the hosts
 * of allowed origins, which a proxy passes on. A request without a Host header is not from a browser.
 */
export function hostAllowed(host: string | undefined, { allowed, loopback }: OriginRules): boolean {
  if (!loopback || host === undefined || allowed.includes('*')) return true;
  const name = nameOf(host);
  if (name === null) return false;
  return (
    isLoopback(name) || allowed.some((origin) => URL.canParse(origin) && new URL(origin).hostname === name)
  );
}
