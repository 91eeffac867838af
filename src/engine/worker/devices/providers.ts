import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { asError } from '../../as-error.js';
import { DeviceError, deviceName, type Device, type Provider, type ProviderStatus } from '../../device.js';
import { sessionOptions } from './session-options.js';

/** What this machine is, as far as providers depend on it. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Providers that this build of onnxruntime-node knows. */
  readonly known: readonly string[];
  /** Folder of the package onnxruntime-node, and its version. */
  readonly runtime: string;
  readonly version: string;
  /** Whether a file or folder is there. */
  exists(path: string): boolean;
  /** Names in a folder; none if it is not there. */
  list(path: string): readonly string[];
}

export function surroundings(): Surroundings {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('onnxruntime-node/package.json');
  const { version } = require(manifest) as { readonly version: string };
  return {
    platform: process.platform,
    arch: process.arch,
    known: listSupportedBackends().map(({ name }) => name),
    runtime: dirname(manifest),
    version,
    exists: existsSync,
    list: (path) => (existsSync(path) ? readdirSync(path) : []),
  };
}

/** What `auto` tries, best first; the processor comes after all. TensorRT is left out: it takes minutes to start. */
export function candidates({ platform }: Pick<Surroundings, 'platform'>): readonly Provider[] {
  switch (platform) {
    case 'win32':
      return ['dml', 'webgpu'];
    case 'darwin':
      return ['webgpu', 'coreml'];
    default:
      return ['cuda', 'webgpu'];
  }
}

/**
 * Why a provider cannot work here, as far as can be seen without loading anything, and what to do about it; null if
 * nothing speaks against it.
 */
export function missing(provider: Provider, here: Surroundings): string | null {
  if (!here.known.includes(provider)) {
    const system = `${here.platform}/${here.arch}`;
    return `onnxruntime-node ${here.version} has no ${provider} on ${system}; it has ${here.known.join(', ')}`;
  }
  if (provider !== 'cuda' && provider !== 'tensorrt') return null;
  const binaries = join(here.runtime, 'bin/napi-v6', here.platform, here.arch);
  const library = `libonnxruntime_providers_${provider}.so`;
  if (here.exists(join(binaries, library))) return null;
  const needs = provider === 'cuda' ? 'CUDA 12 and cuDNN 9' : 'CUDA 12, cuDNN 9 and TensorRT 10';
  return (
    `${library} is not installed; run: node "${join(here.runtime, 'script/install.js')}" ` +
    `--onnxruntime-node-install (it needs ${needs}); or, for CUDA 13, put the libonnxruntime_providers_*.so ` +
    `of PyPI's onnxruntime-gpu ${here.version} into ${binaries}`
  );
}

/** Why there is no graphics processor for a provider; null if there may be one. Told on Linux alone. */
export function noGpu(provider: Provider, here: Surroundings): string | null {
  if (here.platform !== 'linux') return null;
  const nvidia = here.exists('/dev/nvidiactl') || here.exists('/dev/dxg');
  if (nvidia) return null;
  if (provider === 'cuda' || provider === 'tensorrt') return 'no NVIDIA GPU is here (no /dev/nvidiactl)';
  const rendering = here.list('/dev/dri').some((name) => name.startsWith('renderD'));
  return rendering ? null : 'no GPU is here (no /dev/dri/renderD*)';
}

/** Which providers work here and why the others do not: the processor, what `auto` tries, and TensorRT. */
export async function providerStatuses(here: Surroundings): Promise<readonly ProviderStatus[]> {
  const statuses: ProviderStatus[] = [
    { provider: 'cpu', reason: await tryDevice({ provider: 'cpu', index: 0 }) },
  ];
  // TensorRT matters where CUDA does.
  const others = here.known.includes('tensorrt') ? (['tensorrt'] as const) : [];
  for (const provider of [...candidates(here), ...others]) {
    statuses.push({ provider, reason: await obstacle(provider, here) });
  }
  return statuses;
}

/** Why the first device of a provider does not work here; null if it does. */
async function obstacle(provider: Provider, here: Surroundings): Promise<string | null> {
  return noGpu(provider, here) ?? missing(provider, here) ?? (await tryDevice({ provider, index: 0 }));
}

/** The graph y = x + x. */
const probe = Buffer.from(
  'CAgSADo1Cg4KAXgKAXgSAXkiA0FkZBIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEBE=',
  'base64',
);

/** Runs a tiny graph on the device. @returns why it cannot; null if it can. */
export async function tryDevice(device: Device): Promise<string | null> {
  try {
    const options = sessionOptions(device, { threads: 1, cacheDirectory: null });
    const session = await InferenceSession.create(probe, options);
    await session.run({ x: new Tensor('float32', Float32Array.of(1), [1]) });
    await session.release();
    return null;
  } catch (error) {
    const reason = asError(error)
      .message.replace(/\s*\n\s*/g, ' ')
      .trim();
    const library = /Failed to load shared library/.test(reason);
    return library ? `${reason}: the driver or a library that it needs is missing (named above)` : reason;
  }
}

export interface Choice {
  readonly device: Device;
  /** How `auto` came to it, in a sentence; null where it was asked for. */
  readonly because: string | null;
}

/**
 * The device that is asked for; for `auto` the best that works.
 * @throws {DeviceError} if it was asked for by name and does not work.
 */
export async function chooseDevice(asked: Device, here: Surroundings): Promise<Choice> {
  if (asked.provider === 'cpu') return { device: asked, because: null };
  if (asked.provider !== 'auto') {
    const reason = missing(asked.provider, here) ?? (await tryDevice(asked));
    if (reason === null) return { device: asked, because: null };
    throw new DeviceError(`device ${deviceName(asked)}: ${reason}`);
  }
  const reasons: string[] = [];
  for (const provider of candidates(here)) {
    const reason = await obstacle(provider, here);
    if (reason === null) {
      return {
        device: { provider, index: 0 },
        because: `running on ${provider}, the best device that works`,
      };
    }
    reasons.push(`${provider}: ${reason}`);
  }
  return { device: { provider: 'cpu', index: 0 }, because: `running on the CPU (${reasons.join('; ')})` };
}
