import { PullError } from './pull-error.js';

/** One version of a model at the hub. */
export interface HubId {
  /** `organisation/name` */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const name = String.raw`[A-Za-z0-9](?:[\w.-]{0,94}\w)?`;
const hubId = new RegExp(`^(${name}/${name})(?:@(.+))?$`);
/** References that git allows, except those that would lead out of a folder. */
const reference = /^(?!.*(?:\.\.|\/\/|\/\.))[\w][\w./+-]{0,199}(?<![/.])$/;

/** Returns whether a text has the form `organisation/name` or `organisation/name@revision`. */
export function isHubId(text: string): boolean {
  const [, repo] = hubId.exec(text) ?? [];
  return repo !== undefined && !repo.includes('--') && !repo.includes('..');
}

/**
 * Parses the id of a model.
 * @param revision must not contradict one in the text; `main` if neither is given.
 * @throws {PullError} if the text is not the id of a model.
 */
export function parseHubId(text: string, revision?: string): HubId {
  const [, repo, own] = isHubId(text) ? (hubId.exec(text) ?? []) : [];
  if (repo === undefined) {
    throw new PullError(`"${text}" is not a model id; give organisation/name or organisation/name@revision`);
  }
  if (own !== undefined && revision !== undefined && own !== revision) {
    throw new PullError(`${text} and --revision ${revision} name two revisions; give one of them`);
  }
  const wanted = revision ?? own ?? 'main';
  if (!reference.test(wanted)) {
    throw new PullError(`"${wanted}" is not a revision; give a branch, a tag or a commit of ${repo}`);
  }
  return { repo, revision: wanted };
}
