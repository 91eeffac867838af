import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';

/** Why there is no software GPU here; null if there is one. Its package is built for one platform. */
export const noSoftwareGpu =
  process.platform === 'linux' && process.arch === 'x64' ? null : 'SwiftShader is there for Linux x64 only';

/** Does the same as `unpackSoftwareGpu`, for as long as the tests of a file run. */
export async function softwareGpu(): Promise<NodeJS.ProcessEnv> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-gpu-'));
  after(() => rm(folder, { recursive: true }));
  return unpackSoftwareGpu(folder);
}

/**
 * Unpacks SwiftShader, a Vulkan device on the CPU that comes with the package of the browser, into an empty folder.
 * @returns the environment in which a new process finds it: the system's loader reads it only at the start.
 */
export async function unpackSoftwareGpu(folder: string): Promise<NodeJS.ProcessEnv> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const packed = join(dirname(entry), '../../bin/swiftshader.tar.br');
  execFileSync('tar', ['-x', '-C', folder], { input: brotliDecompressSync(await readFile(packed)) });
  return { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') };
}
