import type { AccessSettings } from '../session/access/access.js';
import type { Settings } from './settings.js';

/** The settings that say who may use the server. */
export function accessSettings(settings: Settings): AccessSettings {
  const { apiKeys, jwtSecret: secret, jwtKeys: keys, jwtAudience: audience, jwtIssuer: issuer } = settings;
  return { apiKeys, jwt: { secret, keys, audience, issuer } };
}
