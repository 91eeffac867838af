import { ConnectionGuard } from '../../src/transport/connection-guard.js';

/** A guard that lets in all that a test sends. */
export function roomyGuard(): ConnectionGuard {
  return new ConnectionGuard({ connections: 1000, plainPerAddress: 1000, requestsPerSecond: 100_000 });
}
