import type { Limits, StreamParameters } from '@millrace/protocol';
import { MillraceError } from './errors.js';
import { resourceUrl } from './url.js';

/** JSON Schema (2020-12) of one parameter, as far as a page needs it to build a control. */
export interface ParameterDefinition {
  readonly title: string;
  readonly description: string;
  /** `main` parameters are shown at once, the others behind "more". */
  readonly 'x-group': 'main' | 'more';
  readonly default: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly anyOf?: readonly Pick<ParameterDefinition, 'type' | 'minimum' | 'maximum' | 'maxLength'>[];
}

/** What a server can do: the answer of `GET /v1/capabilities`. */
export interface Capabilities {
  /** WebSocket subprotocol. */
  readonly protocol: string;
  /** Name and version of the server software. */
  readonly server: string;
  readonly model: { readonly name: string; readonly description: string };
  /** Prompts that the model does well. */
  readonly styles: readonly { readonly name: string; readonly prompt: string }[];
  /** JSON Schema of all parameters. */
  readonly parameters: {
    readonly properties: Readonly<Record<keyof StreamParameters, ParameterDefinition>>;
  };
  readonly limits: Limits;
}

/** Whether a server can take streams now: the answer of `GET /readyz`. */
export interface Readiness {
  readonly ready: boolean;
  /** What it is doing, for people. */
  readonly doing: string;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a server what it can do.
 * @param url of the server, or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchCapabilities(url: string | URL, options?: FetchOptions): Promise<Capabilities> {
  return (await fetchJson(url, '/v1/capabilities', [200], options)) as Capabilities;
}

/**
 * Asks a server whether it is ready, and what it is doing if it is not.
 * @param url of the server, or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchReadiness(url: string | URL, options?: FetchOptions): Promise<Readiness> {
  return (await fetchJson(url, '/readyz', [200, 503], options)) as Readiness;
}

async function fetchJson(
  url: string | URL,
  path: string,
  expected: readonly number[],
  { signal }: FetchOptions = {},
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(resourceUrl(url, path), { signal: signal ?? null });
    if (expected.includes(response.status)) return await response.json();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MillraceError('connection_failed', { cause });
  }
  throw new MillraceError('connection_failed', { message: `The server answered ${response.status}.` });
}
