import type { FastifyRequest } from 'fastify';
import { bearerToken } from './bearer.js';
import { mayReadMetrics, sameText, type MetricsAccess } from './metrics-access.js';
import { isLoopback, namesLoopback, originAllowed, type OriginRules } from './origin.js';

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
  request: FastifyRequest,
  rules: OperatorRules,
): Promise<Role | 'foreign' | null> {
  const { headers, ip } = request;
  const token = bearerToken(headers.authorization);
  const { host } = headers;
  if (!originAllowed(headers.origin, host, rules.origins)) return 'foreign';
  const { adminToken, access, metricsToken, origins } = rules;
  if (adminToken !== '' && token !== undefined && sameText(token, adminToken)) return 'admin';
  // Who lets other sites in has a proxy here, which may not say for whom it asks, or lets pages of others in: neither
  // they nor who uses the proxy are the operator.
  const open = adminToken === '' && metricsToken === '' && !access.required && origins.allowed.length === 0;
  if (open && isLocal(ip) && namesLoopback(host) && !isForwarded(request)) return 'admin';
  return (await mayReadMetrics(token, rules)) ? 'reader' : null;
}

function isLocal(address: string): boolean {
  return isLoopback(address.replace(/^::ffff:/, ''));
}

/**
 * Whether a proxy passes on a request of somebody else. Some add no header; the proxy module of nginx then still speaks
 * HTTP/1.0, as no browser does.
 */
function isForwarded({ headers, raw }: FastifyRequest): boolean {
  return raw.httpVersion === '1.0' || Object.keys(headers).some((name) => ofProxies.test(name));
}

/** Headers that proxies and content delivery networks add, and browsers and command lines do not. */
const ofProxies =
  /^(via|forwarded|x-forwarded.*|x-original-.*|x-real-ip|x-(cluster-)?client-ip|true-client-ip|client-ip|cdn-loop|cf-.*|fastly-.*|fly-.*|x-azure-.*|x-amzn?-.*|x-envoy-.*|x-arr-.*|x-appengine-.*|x-cloud-trace-context|x-proxy.*|x-scheme|x-host|x-remote-.*|x-coming-from|front-end-https)$/;
