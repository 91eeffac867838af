import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder that is made when it is first needed, and removed with all that is in it. */
export class Scratch implements AsyncDisposable {
  #folder: Promise<string> | null = null;

  readonly folder = (): Promise<string> => (this.#folder ??= mkdtemp(join(tmpdir(), 'millrace-')));

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }
}
