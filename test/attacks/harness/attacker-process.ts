// A process of attackers: gets an AttackOrder, prepares, sends `armed`, attacks from `begin` to `stop`, sends a tally.
import { once, setMaxListeners } from 'node:events';
import type { Target } from '../attack.js';
import { attackNamed } from '../suite.js';
import type { AttackOrder } from './attackers.js';

// The parent process is gone.
process.once('disconnect', () => process.exit());
const order = once(process, 'message') as Promise<[AttackOrder]>;
const [{ parts, url, limits, token }] = await order;
const tally: Record<string, number> = {};
const count = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1);
const ready: ((signal: AbortSignal) => Promise<void>)[] = [];
for (const { attack: name, clients, place } of parts) {
  const attack = attackNamed(name);
  const payloads = (await attack.payloads?.(limits)) ?? [];
  const address: Target['address'] = (index = 0) => loopback(place, index);
  const target = { url, limits, token, clients, payloads, address, count };
  ready.push((signal) => attack.attack(target, signal));
}

const begin = once(process, 'message');
process.send?.('armed');
await begin;
const stop = new AbortController();
setMaxListeners(0, stop.signal);
const attacking = Promise.all(ready.map((attack) => attack(stop.signal)));
await once(process, 'message');
stop.abort();
await attacking;
process.send?.(tally, undefined, undefined, () => process.disconnect());

/** Returns a loopback address. Only Linux has more than one without configuration. */
function loopback(place: number, index: number): string {
  return process.platform === 'linux' ? `127.1.${place}.${1 + (index % 254)}` : '127.0.0.1';
}
