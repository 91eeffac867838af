import { TokenBucket } from '../session/time/token-bucket.js';
import { RecentEntries } from '../session/time/recent-entries.js';
import { networkOf } from './network.js';

export interface AddressLimitsOptions {
  /** Connections at the same time. */
  readonly connections: number;
  /** New connections per minute, also in one burst. */
  readonly connectsPerMinute: number;
}

interface Address {
  readonly connects: TokenBucket;
  open: number;
}

/** Limits the connections of each address, and the rate of new ones. */
export class AddressLimits {
  readonly #options: AddressLimitsOptions;
  readonly #addresses = new RecentEntries<Address>(({ connects, open }) => open === 0 && connects.full);

  constructor(options: AddressLimitsOptions) {
    this.#options = options;
  }

  /**
   * @returns a function to call when the connection ends (calling it twice is harmless); null if the connection is
   *   refused.
   */
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
