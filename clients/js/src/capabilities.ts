import type { StreamParameters } from '@millrace/protocol';
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
}

/** What a server can do: the answer of `GET /v1/capabilities`. */
export interface Capabilities {
  readonly model: { readonly name: string; readonly description: string };
  /** Prompts that the model does well. */
  readonly styles: readonly { readonly name: string; readonly prompt: string }[];
  /** JSON Schema of all parameters. */
  readonly parameters: {
    readonly properties: Readonly<Record<keyof StreamParameters, ParameterDefinition>>;
  };
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a server what it can do.
 * @param url of the server, or of its stream.
 * @throws {MillraceError} (as rejection) connection_failed
 */
export async function fetchCapabilities(
  url: string | URL,
  { signal }: FetchOptions = {},
): Promise<Capabilities> {
  const response = await request(url, '/v1/capabilities', signal);
  if (!response.ok) {
    throw new MillraceError('connection_failed', { message: `The server answered ${response.status}.` });
  }
  return (await response.json()) as Capabilities;
}

async function request(url: string | URL, path: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(resourceUrl(url, path), { signal: signal ?? null });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MillraceError('connection_failed', { cause });
  }
}
