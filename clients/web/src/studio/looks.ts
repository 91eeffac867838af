import { formatLooks, parseLooks, type Look } from '@millrace/client';
import { mostLooks } from '@millrace/protocol';
import { signal } from '@preact/signals';
import { keep, readKept } from './storage.js';

const key = 'millrace-looks';

/** The looks that the user has saved in this browser. */
export class Looks {
  readonly all = signal<readonly Look[]>(read());
  readonly #failed: (problem: string) => void;

  /** @param failed receives why looks could not be kept. */
  constructor(failed: (problem: string) => void) {
    this.#failed = failed;
  }

  /** Saves a look; one of the same name is replaced. */
  save(look: Look): void {
    this.#keep(merge(this.all.peek(), [look]));
  }

  rename(look: Look, name: string): void {
    const wanted = name.trim();
    if (wanted === '' || wanted === look.name) return;
    const others = this.all.peek().filter((each) => each.name !== wanted);
    const renamed = { ...look, name: wanted };
    this.#keep(others.map((each) => (each === look ? renamed : each)));
  }

  remove(look: Look): void {
    this.#keep(this.all.peek().filter((each) => each !== look));
  }

  /**
   * Adds the looks of a file; those of the same names are replaced.
   * @returns their number.
   * @throws {MillraceError} invalid_look
   */
  add(text: string): number {
    const looks = parseLooks(text);
    this.#keep(merge(this.all.peek(), looks));
    return looks.length;
  }

  /** Returns all looks as a file. */
  toFile(): Blob {
    return new Blob([formatLooks(this.all.peek())], { type: 'application/json' });
  }

  /** Returns a name that no look has. */
  get freeName(): string {
    const taken = new Set(this.all.peek().map(({ name }) => name));
    let number = 1;
    while (taken.has(`Look ${number}`)) number += 1;
    return `Look ${number}`;
  }

  #keep(looks: readonly Look[]): void {
    this.all.value = looks;
    // A longer file could not be read at the next visit.
    if (looks.length <= mostLooks && keep(key, formatLooks(looks))) return;
    this.#failed('This browser has no room for more looks: save them to a file, and remove some.');
  }
}

function read(): readonly Look[] {
  try {
    return parseLooks(readKept(key) ?? '');
  } catch {
    return [];
  }
}

function merge(looks: readonly Look[], added: readonly Look[]): readonly Look[] {
  const all = new Map(looks.map((look) => [look.name, look]));
  for (const look of added) all.set(look.name, look);
  return [...all.values()];
}
