import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../support/reference.js';

/** What differs, by file: text of the build, and what takes its place. */
const changes: Readonly<Record<string, readonly [text: RegExp, changed: string]>> = {
  'package.json': [/"version": "[^"]*"/, '"version": "99.0.0"'],
  'node_modules/@millrace/protocol/dist/parameters/picture.js': [
    /export const pictureParameters = \{/,
    "$& from_next_version: { title: 'New', description: 'New.', 'x-group': 'more', 'x-applies': ['output'], " +
      "default: 0, type: 'integer', minimum: 0, maximum: 9 },",
  ],
  'dist/src/session/connection/ready-message.js': [/type: 'ready',/, '$& from_next_version: [],'],
};

/**
 * A copy of this build as a later version might be: with another number, and with a parameter and a field of `ready`
 * that this version does not know.
 */
export class NextVersion implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<NextVersion> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-next-version-'));
    const from = (path: string): string => join(repositoryRoot, path);
    await mkdir(join(folder, 'node_modules/@millrace/protocol'), { recursive: true });
    const copies = [
      ['package.json', 'package.json'],
      ['dist/src', 'dist/src'],
      ['protocol/package.json', 'node_modules/@millrace/protocol/package.json'],
      ['protocol/dist', 'node_modules/@millrace/protocol/dist'],
    ] as const;
    await Promise.all(
      copies.map(([path, to]) => cp(from(path), join(folder, to), { recursive: true, dereference: true })),
    );
    const packages = await readdir(from('node_modules'));
    const others = packages.filter((name) => name !== '@millrace');
    await Promise.all(
      others.map((name) => symlink(from(`node_modules/${name}`), join(folder, 'node_modules', name))),
    );
    for (const [path, [text, changed]] of Object.entries(changes)) {
      const file = join(folder, path);
      const before = await readFile(file, 'utf8');
      if (!text.test(before)) throw new Error(`${path} has no ${text}`);
      await writeFile(file, before.replace(text, changed));
    }
    return new NextVersion(folder);
  }

  /** The program. */
  get main(): string {
    return join(this.#folder, 'dist/src/cli/main.js');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
