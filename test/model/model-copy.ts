import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../support/reference.js';

export const embeddedModel = join(repositoryRoot, 'ops/models/millrace-styles');

/** A copy of a model that a test may modify; its graphs are links to the real ones. */
export class ModelCopy implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(model = embeddedModel): Promise<ModelCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-model-'));
    const weights: string[] = [];
    await cp(model, folder, {
      recursive: true,
      filter: (source) => {
        if (!source.endsWith('.onnx')) return true;
        weights.push(source);
        return false;
      },
    });
    for (const source of weights) await symlink(source, join(folder, relative(model, source)));
    return new ModelCopy(folder);
  }

  async write(file: string, content: string | Uint8Array): Promise<void> {
    await this.remove(file);
    await writeFile(join(this.folder, file), content);
  }

  /** Changes fields of a JSON file; undefined removes one. */
  async edit(file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const json = JSON.parse(await readFile(join(this.folder, file), 'utf8')) as object;
    await this.write(file, JSON.stringify({ ...json, ...fields }));
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.folder, file), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
