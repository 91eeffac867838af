import { accessSettings, asksForTokens } from '../session/access/access.js';
import type { Settings } from '../settings/settings.js';
import { isLoopback } from '../transport/origin.js';

/** What users of one machine are promised: many of them at few frames per second, before the next has to wait. */
export const localPromise = { sloFps: 1, sloLatencySeconds: 2 } as const;

/** Returns whether a server is for the users of its own machine: nothing shows that others reach it by a proxy. */
export function isLocal(settings: Settings): boolean {
  const { host, allowedOrigins, trustedProxies, agentPort, resumeKey } = settings;
  const isOpen = isLoopback(host) && !asksForTokens(accessSettings(settings));
  const isBehindProxy = allowedOrigins.length > 0 || trustedProxies.length > 0;
  const isInFleet = agentPort !== 0 || resumeKey !== '';
  return isOpen && !isBehindProxy && !isInFleet;
}
