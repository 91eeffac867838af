import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { oneLine } from '../../as-error.js';
import { DeviceError, deviceName, type Device, type Provider, type ProviderStatus } from '../../device.js';
import { sessionOptions } from './session-options.js';

/** Facts about this machine that providers depend on. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Providers that this build of onnxruntime-node knows. */
  readonly known: readonly string[];
  /** Folder of the package onnxruntime-node, and its version. */
  readonly runtime: string;
  readonly version: string;
  /** Returns whether a file or folder exists. */
  exists(path: string): boolean;
  /** Returns the names in a folder; none if it does not exist. */
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

/** Returns the providers that `auto` tries before the CPU, best first; not TensorRT, which takes minutes to start. */
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
 * Returns why a provider cannot work here and what to do about it, as far as that is visible without loading anything;
 * null if no reason was found.
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

/** Returns that no GPU was found for a provider; null if there may be one. Only checked on Linux. */
export function noGpu(provider: Provider, here: Surroundings): string | null {
  if (here.platform !== 'linux') return null;
  const nvidia = here.exists('/dev/nvidiactl') || here.exists('/dev/dxg');
  if (nvidia) return null;
  if (provider === 'cuda' || provider === 'tensorrt') return 'no NVIDIA GPU found (no /dev/nvidiactl)';
  const rendering = here.list('/dev/dri').some((name) => name.startsWith('renderD'));
  return rendering ? null : 'no GPU found (no /dev/dri/renderD*)';
}

/** Tests the providers here: the CPU, those that `auto` tries, and TensorRT. */
export async function providerStatuses(here: Surroundings): Promise<readonly ProviderStatus[]> {
  const statuses: ProviderStatus[] = [
    { provider: 'cpu', reason: await tryDevice({ provider: 'cpu', index: 0 }) },
  ];
  // TensorRT is listed where CUDA is.
  const others = here.known.includes('tensorrt') ? (['tensorrt'] as const) : [];
  for (const provider of [...candidates(here), ...others]) {
    statuses.push({ provider, reason: await obstacle(provider, here) });
  }
  return statuses;
}

/** Returns why the first device of a provider does not work here; null if it does. */
async function obstacle(provider: Provider, here: Surroundings): Promise<string | null> {
  return noGpu(provider, here) ?? missing(provider, here) ?? (await tryDevice({ provider, index: 0 }));
}

/** The graph y = x + x. */
const probe = Buffer.from(
  'CAgSADo1Cg4KAXgKAXgSAXkiA0FkZBIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEBE=',
  'base64',
);

/** Runs a tiny graph on the device. @returns why that fails; null if it succeeds. */
export async function tryDevice(device: Device): Promise<string | null> {
  try {
    const options = sessionOptions(device, { threads: 1, cacheDirectory: null });
    const session = await InferenceSession.create(probe, options);
    try {
      await session.run({ x: new Tensor('float32', Float32Array.of(1), [1]) });
    } finally {
      await session.release();
    }
    return null;
  } catch (error) {
    const reason = oneLine(error);
    const library = /Failed to load shared library/.test(reason);
    return library ? `${reason}: the driver or a library that it needs is missing (named above)` : reason;
  }
}

export interface Choice {
  readonly device: Device;
  /** Why `auto` chose it, in one sentence; null if it was requested by name. */
  readonly because: string | null;
}

/**
 * Returns the requested device; for `auto`, the best that works.
 * @throws {DeviceError} if it was requested by name and does not work.
 */
export async function chooseDevice(requested: Device, here: Surroundings): Promise<Choice> {
  if (requested.provider === 'cpu') return { device: requested, because: null };
  if (requested.provider !== 'auto') {
    const reason = missing(requested.provider, here) ?? (await tryDevice(requested));
    if (reason === null) return { device: requested, because: null };
    throw new DeviceError(`device ${deviceName(requested)}: ${reason}`);
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
