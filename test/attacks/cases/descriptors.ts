import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackCase, Target } from '../attack.js';
import { persist } from '../clients/persist.js';

/** What is said on a connection, byte by byte, and how often. */
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

/** Holds one plain TCP connection until the server ends it. */
async function hold(target: Target, address: string, drip: Drip, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(target.url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: address });
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop);
  try {
    await once(socket, 'connect', { signal });
    target.count('connections');
    await say(socket, drip);
    if (!signal.aborted) target.count('ended by the server');
    await sleep(100);
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function say(socket: Socket, { head: first, every }: Drip): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  socket.write(first);
  const timer = every === Infinity ? undefined : setInterval(() => socket.write('a'), every);
  await once(socket, 'close');
  clearInterval(timer);
}

/** @param each connections from one address. */
function connectionsAttack(name: string, each: number, kinds: readonly Drip[]): Attack {
  return {
    name,
    async attack(target, signal) {
      const held = Array.from({ length: target.clients }, async (_, i) => {
        // Not all in the same moment: the backlog of the listening socket is not what is attacked.
        await sleep(i);
        const drip = kinds[i % kinds.length] ?? drips.silent;
        const address = target.address(Math.floor(i / each));
        await persist(target, signal, () => hold(target, address, drip, signal));
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
