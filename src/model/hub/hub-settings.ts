import { HUB_URL } from '@huggingface/hub';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PullError } from './pull-error.js';

/** How the hub is reached and where its files are kept, from the environment variables of its own tools. */
export interface HubSettings {
  /** Base address without a slash at its end. */
  readonly endpoint: string;
  /** Folder with a folder for each model. */
  readonly cache: string;
  /** For private and gated models; must never be shown. */
  readonly token: { readonly value: string; readonly source: string } | null;
  /** Whether the hub must not be contacted. */
  readonly offline: boolean;
  /** Longest silence of the hub in milliseconds. */
  readonly timeout: number;
  /** Wait before a second try in milliseconds; doubled for each further one. */
  readonly retryDelay: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const defaultTimeoutSeconds = 30;

/**
 * Reads HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE and HF_HUB_DOWNLOAD_TIMEOUT,
 * as huggingface_hub does.
 * @throws {PullError} if one of them is invalid.
 */
export function readHubSettings(environment: Environment): HubSettings {
  const path = (name: string): string | null => {
    const value = environment[name];
    return value ? resolve(value.replace(/^~(?=$|[/\\])/, homedir())) : null;
  };
  const home = path('HF_HOME') ?? join(path('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: readEndpoint(environment['HF_ENDPOINT'] || HUB_URL),
    cache: path('HF_HUB_CACHE') ?? path('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    token: readToken(environment, path('HF_TOKEN_PATH') ?? join(home, 'token')),
    offline: ['1', 'on', 'yes', 'true'].includes((environment['HF_HUB_OFFLINE'] ?? '').toLowerCase()),
    timeout: readSeconds(environment, 'HF_HUB_DOWNLOAD_TIMEOUT', defaultTimeoutSeconds) * 1000,
    retryDelay: 1000,
  };
}

function readEndpoint(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new PullError(`HF_ENDPOINT is "${text}", which is not a web address; correct it or leave it out`);
  }
  return text.replace(/\/+$/, '');
}

function readToken(environment: Environment, file: string): HubSettings['token'] {
  for (const source of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const value = environment[source]?.trim();
    if (value) return { value: checkToken(value, source), source };
  }
  let value: string;
  try {
    value = readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
  return value === '' ? null : { value: checkToken(value, file), source: file };
}

/** The value goes into a header, which allows no other characters; it is not shown. */
function checkToken(value: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new PullError(`the token in ${source} has characters that tokens cannot have; copy it again`);
}

function readSeconds(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (!text) return fallback;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new PullError(`${name} is "${text}"; it must be a number of seconds above 0`);
}
