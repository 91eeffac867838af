import type { FastifyRequest } from 'fastify';
import { bearerToken } from './bearer.js';
import { mayReadMetrics, sameText, type MetricsAccess } from './metrics-access.js';
import { isLoopback, originAllowed, type OriginRules } from './origin.js';

/** What somebody may do with the server besides using it: see figures, or see all and act. */
export type Role = 'reader' | 'admin';

export interface OperatorRules extends MetricsAccess {
  readonly origins: OriginRules;
  /** Makes an admin; empty where nothing but being at this machine does. */
  readonly adminToken: string;
}

/**
 * Who asks. Admin is who has the admin token; where neither that nor any other token is asked for, and no other site
 * is let in, whoever is at this machine. Reader is who may read /metrics.
 * @returns `foreign` for a page of another origin, null for who may see nothing.
 */
export async function roleOf(
  { headers, ip }: FastifyRequest,
  rules: OperatorRules,
): Promise<Role | 'foreign' | null> {
  const token = bearerToken(headers.authorization);
  const { host } = headers;
  // Browsers send no Origin with a GET to what they take for their own server. Where no token tells who asks, the
  // name that they used must do: a foreign one may have been made to resolve to this machine (DNS rebinding).
  const assumed = token === undefined && host !== undefined ? `http://${host}` : undefined;
  if (!originAllowed(headers.origin ?? assumed, host, rules.origins)) return 'foreign';
  const { adminToken, access, metricsToken, origins } = rules;
  if (adminToken !== '' && token !== undefined && sameText(token, adminToken)) return 'admin';
  // Who lets other sites in has a proxy here, which may not say for whom it asks, or lets pages of others in: neither
  // they nor who uses the proxy are the operator.
  const open = adminToken === '' && metricsToken === '' && !access.required && origins.allowed.length === 0;
  if (open && isLocal(ip) && namesLocal(host) && !isForwarded(headers)) return 'admin';
  return (await mayReadMetrics(token, rules)) ? 'reader' : null;
}

function isLocal(address: string): boolean {
  return isLoopback(address.replace(/^::ffff:/, ''));
}

/** Whether the request was made to a name of this machine: not through a proxy for another, nor a name made up. */
function namesLocal(host = ''): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}

/** Whether a proxy says that it asks for somebody else. */
function isForwarded(headers: FastifyRequest['headers']): boolean {
  return ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => headers[name] !== undefined);
}
