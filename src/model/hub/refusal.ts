import type { HubId } from './hub-id.js';
import type { HubSettings } from './hub-settings.js';
import { PullError, TransientError } from './pull-error.js';

/** Returns the error to throw for an unsuccessful answer of the hub. */
export function refusal(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  { repo, revision }: HubId,
  { endpoint, token }: Pick<HubSettings, 'endpoint' | 'token'>,
): Error {
  const { host } = new URL(endpoint);
  const code = headers.get('X-Error-Code');
  const login = `set HF_TOKEN to a token from ${endpoint}/settings/tokens`;
  if (status === 429)
    return new TransientError(`${host} allows no more requests for now`, { wait: askedWait(headers) });
  if (status >= 500 || status === 408) {
    return new TransientError(`${host} answers with status ${status}`, { wait: askedWait(headers) });
  }
  if (code === 'GatedRepo') {
    return token === null
      ? new PullError(`${repo} is gated; ask for access at ${endpoint}/${repo}, then ${login}`)
      : new PullError(
          `${repo} is gated and your account has no access; ask for it at ${endpoint}/${repo}, then try again`,
        );
  }
  if (status === 401 && token !== null) {
    return new PullError(
      `${host} does not accept the token in ${token.source}; make a new one at ${endpoint}/settings/tokens`,
    );
  }
  if (status === 401 || (status === 404 && (code === 'RepoNotFound' || code === null))) {
    const way = token === null ? login : 'ask its owner for access';
    return new PullError(
      `there is no model ${repo} at ${host} that you may read; check its name, and if it is private ${way}`,
    );
  }
  if (status === 403) {
    const way = token === null ? login : `the token in ${token.source} needs the right to read it`;
    return new PullError(`${host} denies access to ${repo}; ${way}`);
  }
  if (code === 'RevisionNotFound') {
    return new PullError(
      `${repo} has no revision "${revision}"; look for branches and tags at ${endpoint}/${repo}/tree/main`,
    );
  }
  if (code === 'EntryNotFound') {
    return new PullError(`${repo} has changed and no longer has a file that it listed; try again`);
  }
  return new PullError(
    `${host} answers with status ${status}${code === null ? '' : ` (${code})`}; try again later`,
  );
}

/** Returns milliseconds by Retry-After (seconds or a date, RFC 9110 10.2.3) or by `t` of RateLimit; else null. */
function askedWait(headers: Headers): number | null {
  const after = headers.get('Retry-After');
  if (after !== null && /^\d+$/.test(after)) return Number(after) * 1000;
  const date = after === null ? NaN : Date.parse(after);
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  const [, seconds] = /;\s*t=(\d+)/.exec(headers.get('RateLimit') ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
