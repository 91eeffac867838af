/** A model that cannot be downloaded from the hub. The message is one line: what is wrong and what to do. */
export class PullError extends Error {
  override readonly name = 'PullError';
}

/** A failure that may not happen again on the next attempt. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Milliseconds that the server asks to wait, or null. */
  readonly wait: number | null;
  /** Whether there was progress before the failure: a slow download can still finish. */
  readonly progressed: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { readonly wait?: number | null; readonly progressed?: boolean } = {},
  ) {
    super(message, options);
    this.wait = options.wait ?? null;
    this.progressed = options.progressed ?? false;
  }
}

/** Explanations of system error codes. */
const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known here; is there a network?',
  EAI_AGAIN: 'its name cannot be looked up; is there a network?',
  ENETUNREACH: 'there is no network',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
};

/** Returns the cause in a few words: by a code such as ECONNREFUSED if there is one, else the message. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return causeOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return causes[code] ?? code;
}
