import { TokenBucket } from '../session/time/token-bucket.js';
import { RecentEntries } from '../session/time/recent-entries.js';
import { networkOf } from './network.js';

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
  readonly #addresses = new RecentEntries<Address>(({ connects, open }) => open === 0 && connects.full);

  constructor(options: AddressLimitsOptions) {
    this.#options = options;
  }

  /** @returns what to call when the connection ends (twice without harm); null if it may not be. */
  enter(ip: string): (() => void) | null {
    const { connectsPerMinute } = this.#options;
    const address = this.#addresses.of(networkOf(ip), () => ({
      connects: new TokenBucket(connectsPerMinute / 60, connectsPerMinute),
      open: 0,
    }));
    if (!address.connects.take() || address.open >= this.#options.connections) return null;
    address.open += 1;
    let counted = true;
    return () => {
      if (counted) address.open -= 1;
      counted = false;
    };
  }
}
