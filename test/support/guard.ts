import { ClientAddresses } from '../../src/transport/client-addresses.js';
import { ConnectionGuard } from '../../src/transport/connection-guard.js';

/** Returns a guard that admits everything that a test sends. */
export function roomyGuard(): ConnectionGuard {
  return new ConnectionGuard({
    connections: 1000,
    plainPerAddress: 1000,
    requestsPerSecond: 100_000,
    clients: new ClientAddresses([]),
  });
}
