import type {
  Capabilities as CapabilitiesAnswer,
  ParameterSchema,
  Readiness,
  StreamParameters,
  Styles,
} from '@millrace/protocol';
import { MillraceError } from './errors.js';
import { resourceUrl } from './url.js';

/** JSON Schema (2020-12) of one parameter, from which a page can build a control. Older servers say less of it. */
export interface ParameterDefinition
  extends Omit<ParameterSchema, 'x-applies'>, Partial<Pick<ParameterSchema, 'x-applies'>> {}

/** Capabilities of a server: the response of `GET /v1/capabilities`. */
export interface Capabilities extends CapabilitiesAnswer {
  /** JSON Schema of all parameters. */
  readonly parameters: {
    readonly properties: Readonly<Record<keyof StreamParameters, ParameterDefinition>>;
  };
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches the capabilities of a server.
 * @param url address of the server or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchCapabilities(url: string | URL, options?: FetchOptions): Promise<Capabilities> {
  return (await fetchJson(url, 'v1/capabilities', [200], options)) as Capabilities;
}

/**
 * Fetches whether a server is ready, and its activity if it is not.
 * @param url address of the server or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchReadiness(url: string | URL, options?: FetchOptions): Promise<Readiness> {
  return (await fetchJson(url, 'readyz', [200, 503], options)) as Readiness;
}

/**
 * Fetches what prompts of the server's model can name.
 * @param url address of the server or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchStyles(url: string | URL, options?: FetchOptions): Promise<Styles> {
  return (await fetchJson(url, 'v1/styles', [200], options)) as Styles;
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
  throw new MillraceError('connection_failed', {
    message: `The server responded with status ${response.status}.`,
  });
}
