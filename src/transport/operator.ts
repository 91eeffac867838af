import type { FastifyRequest } from 'fastify';
import { sameText } from '../session/access/secrets.js';
import { bearerToken } from './bearer.js';
import { mayReadMetrics, type MetricsAccess } from './metrics-access.js';
import { isLoopback, namesLoopback, originAllowed, type OriginRules } from './origin.js';

/** What a request may do besides using the server: `reader` sees figures, `admin` sees everything and may act. */
export type Role = 'reader' | 'admin';

export interface OperatorRules extends MetricsAccess {
  readonly origins: OriginRules;
  /** The token of admins; empty if only requests from this machine are theirs. */
  readonly adminToken: string;
}

/**
 * Returns the role of a request. `admin`: it has the admin token or, if no tokens are set and no other origins are
 * allowed, comes from this machine and not through a proxy. `reader`: it may read /metrics.
 * @returns `foreign` for a page of another origin, null if it may see nothing.
 */
export async function roleOf(
  request: FastifyRequest,
  rules: OperatorRules,
): Promise<Role | 'foreign' | null> {
  const { headers, ip } = request;
  const token = bearerToken(headers.authorization);
  const { host } = headers;
  if (!originAllowed(headers.origin, host, rules.origins)) return 'foreign';
  const { adminToken, access, metricsToken, origins } = rules;
  if (adminToken !== '' && token !== undefined && sameText(token, adminToken)) return 'admin';
  // Other origins are allowed for a proxy, which may be invisible, or for other web sites: their users are not the
  // operator.
  const open = adminToken === '' && metricsToken === '' && !access.required && origins.allowed.length === 0;
  if (open && isLocal(ip) && namesLoopback(host) && !isForwarded(request)) return 'admin';
  return (await mayReadMetrics(token, rules)) ? 'reader' : null;
}

function isLocal(address: string): boolean {
  return isLoopback(address.replace(/^::ffff:/, ''));
}

/**
 * Returns whether a proxy forwarded the request. Some add no header, but then nginx uses HTTP/1.0, which no browser
 * does.
 */
function isForwarded({ headers, raw }: FastifyRequest): boolean {
  return raw.httpVersion === '1.0' || Object.keys(headers).some((name) => ofProxies.test(name));
}

/** Headers that proxies and content delivery networks add, and browsers and command lines do not. */
const ofProxies =
  /^(via|forwarded|x-forwarded.*|x-original-.*|x-real-ip|x-(cluster-)?client-ip|true-client-ip|client-ip|cdn-loop|cf-.*|fastly-.*|fly-.*|x-azure-.*|x-amzn?-.*|x-envoy-.*|x-arr-.*|x-appengine-.*|x-cloud-trace-context|x-proxy.*|x-scheme|x-host|x-remote-.*|x-coming-from|front-end-https)$/;
