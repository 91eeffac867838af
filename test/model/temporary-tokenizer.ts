import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A copy of a tokenizer with another padding token. */
export class TemporaryTokenizer implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async of(original: string, padding: string): Promise<TemporaryTokenizer> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-tokenizer-'));
    for (const file of ['vocab.json', 'merges.txt']) await symlink(join(original, file), join(folder, file));
    const config = JSON.parse(await readFile(join(original, 'tokenizer_config.json'), 'utf8')) as object;
    const changed = JSON.stringify({ ...config, pad_token: padding });
    await writeFile(join(folder, 'tokenizer_config.json'), changed);
    return new TemporaryTokenizer(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
