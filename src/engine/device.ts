/** Where networks run, named as ONNX Runtime's execution providers; `auto` takes the best that works. */
const providers = ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml'] as const;
export type Provider = (typeof providers)[number];

/** A machine can have several devices of these. */
const numbered: ReadonlySet<Provider> = new Set(['cuda', 'tensorrt', 'dml']);

export interface Device {
  readonly provider: Provider;
  /** Index among the devices of the provider, from 0. */
  readonly index: number;
}

/** Status of a provider on this machine. */
export interface ProviderStatus {
  readonly provider: Provider;
  /** Why it does not work here, and what to do about it; null if it works. */
  readonly reason: string | null;
}

/** The device does not exist or cannot be used. The message is one line that says what to do. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

/**
 * Parses `cpu`, `cuda`, `cuda:1` and the like.
 * @throws {DeviceError} if the text is not one of them.
 */
export function parseDevice(text: string): Device {
  const [, name, index] = /^([a-z0-9]+)(?::(\d{1,2}))?$/.exec(text) ?? [];
  const provider = providers.find((candidate) => candidate === name);
  if (provider === undefined) {
    const names = providers.map((candidate) => (numbered.has(candidate) ? `${candidate}[:n]` : candidate));
    throw new DeviceError(`unknown device "${text}"; it must be one of ${names.join(', ')}`);
  }
  if (index !== undefined && !numbered.has(provider)) {
    throw new DeviceError(`the device ${provider} takes no number; write ${provider} for ${text}`);
  }
  return { provider, index: Number(index ?? 0) };
}

/** Returns the device as text for `parseDevice`: `cuda:0`, `cpu`. */
export function deviceName({ provider, index }: Device): string {
  return numbered.has(provider) ? `${provider}:${index}` : provider;
}
