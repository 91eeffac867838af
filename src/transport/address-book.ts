import { isIPv4, isIPv6 } from 'node:net';

/** Entries that are looked through at a time for some that need not be known any more. */
const sweepSize = 16;

/** What is known of each address that has come of late. */
export class AddressBook<Entry> {
  readonly #create: () => Entry;
  readonly #isNew: (entry: Entry) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param isNew whether an entry says no more than a fresh one: it is then forgotten. */
  constructor(create: () => Entry, isNew: (entry: Entry) => boolean) {
    this.#create = create;
    this.#isNew = isNew;
  }

  /** Returns the entry of an address; all of an IPv6 network share one. */
  of(ip: string): Entry {
    this.#sweep();
    const network = networkOf(ip);
    const known = this.#entries.get(network);
    if (known !== undefined) return known;
    const entry = this.#create();
    this.#entries.set(network, entry);
    return entry;
  }

  /** Forgets entries that are as new; those that stay move to the end, so that all get their turn. */
  #sweep(): void {
    let rest = sweepSize;
    for (const [network, entry] of this.#entries) {
      if (rest-- === 0) return;
      this.#entries.delete(network);
      if (!this.#isNew(entry)) this.#entries.set(network, entry);
    }
  }
}

/** An IPv4 address, or the /64 network of an IPv6 one, which one user can have whole (RFC 6177). */
export function networkOf(ip: string): string {
  const mapped = ip.replace(/^::ffff:/i, '');
  if (isIPv4(mapped) || !isIPv6(ip)) return mapped;
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail?.split(':') ?? [])];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
