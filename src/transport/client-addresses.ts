import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Finds out whose request it is. A proxy's own address is no user's: if it is trusted, its header X-Forwarded-For counts.
 */
export class ClientAddresses {
  readonly #proxies: BlockList;

  /**
   * @param proxies that are trusted: addresses and networks.
   * @throws {RangeError} as `readNetworks`.
   */
  constructor(proxies: readonly string[]) {
    this.#proxies = readNetworks(proxies);
  }

  /** Whether this is the address of a trusted proxy. */
  isProxy(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#proxies.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Returns the address of the client. Each proxy adds the address that it got the request from at the end of the
   * header, so that this is read from its end, as far as trusted proxies wrote it: what a client writes itself comes
   * before. Without a valid entry of its own, a proxy is the client.
   */
  of({ socket, headers }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
    let address = socket.remoteAddress ?? '';
    // Node.js joins several of these headers by commas.
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    while (this.isProxy(address)) {
      const previous = forwarded.pop()?.trim() ?? '';
      if (isIP(previous) === 0) break;
      address = previous;
    }
    return address;
  }
}

/**
 * Reads addresses, and networks such as `10.0.0.0/8`.
 * @throws {RangeError} that names the first text that is neither.
 */
export function readNetworks(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const [address = '', length, ...rest] = text.split('/');
    const [family, most] = isIPv4(address) ? (['ipv4', 32] as const) : (['ipv6', 128] as const);
    const bits = length === undefined ? most : Number(/^\d+$/.exec(length)?.[0] ?? NaN);
    if (isIP(address) === 0 || rest.length > 0 || !(bits <= most)) {
      const name = JSON.stringify(text);
      throw new RangeError(`${name} is neither an IP address nor a network such as 10.0.0.0/8 or fd00::/8`);
    }
    networks.addSubnet(address, bits, family);
  }
  return networks;
}
