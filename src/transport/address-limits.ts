import { isIPv4, isIPv6 } from 'node:net';
import { TokenBucket } from '../session/time/token-bucket.js';

export interface AddressLimitsOptions {
  /** Connections at the same time. */
  readonly connections: number;
  /** New connections in a minute; as many may come at once. */
  readonly connectsPerMinute: number;
}

interface Address {
  readonly connects: TokenBucket;
  open: number;
}

/** Addresses that are looked through at a time for some that need not be known any more. */
const sweepSize = 16;

/** Holds each address to a number of connections, and to a rate of new ones. */
export class AddressLimits {
  readonly #options: AddressLimitsOptions;
  readonly #addresses = new Map<string, Address>();

  constructor(options: AddressLimitsOptions) {
    this.#options = options;
  }

  /** @returns what to call when the connection ends (twice without harm); null if it may not be. */
  enter(ip: string): (() => void) | null {
    this.#sweep();
    const address = this.#find(networkOf(ip));
    if (!address.connects.take() || address.open >= this.#options.connections) return null;
    address.open += 1;
    let counted = true;
    return () => {
      if (counted) address.open -= 1;
      counted = false;
    };
  }

  #find(network: string): Address {
    const known = this.#addresses.get(network);
    if (known) return known;
    const { connectsPerMinute } = this.#options;
    const address = { connects: new TokenBucket(connectsPerMinute / 60, connectsPerMinute), open: 0 };
    this.#addresses.set(network, address);
    return address;
  }

  /** Forgets addresses that are as new; those that stay move to the end, so that all get their turn. */
  #sweep(): void {
    let rest = sweepSize;
    for (const [network, address] of this.#addresses) {
      if (rest-- === 0) return;
      this.#addresses.delete(network);
      if (address.open > 0 || !address.connects.full) this.#addresses.set(network, address);
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
