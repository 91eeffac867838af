import { TokenBucket } from '../session/time/token-bucket.js';
import { AddressBook } from './address-book.js';

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

/** Holds each address to a number of connections, and to a rate of new ones. */
export class AddressLimits {
  readonly #options: AddressLimitsOptions;
  readonly #addresses: AddressBook<Address>;

  constructor(options: AddressLimitsOptions) {
    const { connectsPerMinute } = options;
    this.#options = options;
    this.#addresses = new AddressBook<Address>(
      () => ({ connects: new TokenBucket(connectsPerMinute / 60, connectsPerMinute), open: 0 }),
      ({ connects, open }) => open === 0 && connects.full,
    );
  }

  /** @returns what to call when the connection ends (twice without harm); null if it may not be. */
  enter(ip: string): (() => void) | null {
    const address = this.#addresses.of(ip);
    if (!address.connects.take() || address.open >= this.#options.connections) return null;
    address.open += 1;
    let counted = true;
    return () => {
      if (counted) address.open -= 1;
      counted = false;
    };
  }
}
