import type { Setting } from './setting.js';

/** The settings of who may connect: tokens, keys, origins and proxies. */
export const accessSettingsTable = {
  insecureNoAuth: {
    type: 'switch',
    default: false,
    description:
      'Listen on an address that others can reach although no token is required, so that anybody can use the server.',
  },
  apiKeys: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description: 'JSON file of API keys, made with `millrace token --api-key`; sessions then need a token.',
  },
  jwtSecret: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description:
      'Secret of at least 32 bytes that JSON Web Tokens are signed with (HS256); sessions then need a token.',
  },
  jwtKeys: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description:
      'Public keys of JSON Web Tokens (RS256, ES256): a PEM or JWKS file, or the URL of a JWKS; sessions then need a token.',
  },
  jwtAudience: {
    type: 'text',
    default: '',
    defaultText: 'anything',
    description: 'Required value of `aud` in JSON Web Tokens; empty for any.',
  },
  jwtIssuer: {
    type: 'text',
    default: '',
    defaultText: 'anything',
    description: 'Required value of `iss` in JSON Web Tokens; empty for any.',
  },
  metricsToken: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description: 'Token for /metrics; empty: any token of a session, or none if sessions need none.',
  },
  adminToken: {
    type: 'text',
    default: '',
    defaultText: 'none',
    description:
      'Token to drain the server and see all of /dashboard; empty: allowed from this machine, if no tokens or origins are set.',
  },
  allowedOrigins: {
    type: 'list',
    default: [],
    description:
      'Origins of other web sites whose pages may connect, such as https://example.org; * allows all.',
  },
  trustedProxies: {
    type: 'list',
    default: [],
    description:
      'Addresses or networks (10.0.0.0/8) of proxies whose header X-Forwarded-For names the client, for the limits of an address; that of others is ignored.',
  },
} as const satisfies Record<string, Setting>;
