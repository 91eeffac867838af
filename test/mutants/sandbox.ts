import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Folders of built modules. The clients include the protocol, and tests use them. */
const copied = new Set(['dist', 'protocol', 'clients']);

/**
 * A copy of the build in which modules can be changed without touching the repository. Sources, packages and other
 * files are links to those of the repository.
 */
export class Sandbox implements Disposable {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-mutants-')));
  readonly root = join(this.#folder, 'repository');
  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });

  constructor(repository: string) {
    process.once('exit', this.#remove);
    mkdirSync(this.root);
    for (const name of readdirSync(repository)) {
      if (copied.has(name)) cpSync(join(repository, name), join(this.root, name), { recursive: true });
      else if (name !== 'node_modules' && name !== '.git') this.#link(repository, name);
    }
    mkdirSync(join(this.root, 'node_modules'));
    for (const name of readdirSync(join(repository, 'node_modules'))) {
      if (name !== '@millrace') this.#link(repository, join('node_modules', name));
    }
    // Relative links: they lead to the packages of this copy.
    const own = join('node_modules', '@millrace');
    cpSync(join(repository, own), join(this.root, own), { recursive: true, verbatimSymlinks: true });
    const shared = join(repository, '..', 'shared');
    if (existsSync(shared)) symlinkSync(realpathSync(shared), join(this.#folder, 'shared'));
  }

  /** Gives the module another text while `work` runs. */
  async with<T>(module: string, change: (text: string) => string, work: () => Promise<T>): Promise<T> {
    const path = join(this.root, module);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, change(text));
    try {
      return await work();
    } finally {
      writeFileSync(path, text);
    }
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove);
    this.#remove();
  }

  #link(repository: string, path: string): void {
    symlinkSync(join(repository, path), join(this.root, path));
  }
}
