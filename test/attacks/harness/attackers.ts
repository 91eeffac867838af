import type { Limits } from '@millrace/protocol';
import type { ChildProcess } from 'node:child_process';
import type { ServerProcess } from '../../support/server-process.js';
import type { AttackCase, Tally } from '../attack.js';
import { endOf, nextMessage, startChild } from './child.js';

/** The first message to a process of attackers. */
export interface AttackOrder {
  readonly url: string;
  readonly limits: Limits;
  readonly token?: string | undefined;
  readonly parts: readonly {
    readonly attack: string;
    readonly clients: number;
    /** Separates their addresses from those of others: 0 to 200. */
    readonly place: number;
  }[];
}

type Part = AttackCase['parts'][number];
type Aim = Omit<AttackOrder, 'parts'>;

/** @param token API key of the attackers, if the server requires one. */
export async function aimAt({ url }: ServerProcess, token?: string): Promise<Aim> {
  const { limits } = (await (await fetch(`${url}/v1/capabilities`)).json()) as { readonly limits: Limits };
  return { url, limits, token };
}

/** Attackers in separate processes. */
export class Attackers implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  /**
   * Starts attackers and waits until all are ready.
   * @param groups each gets its own process.
   */
  static async start(aim: Aim, groups: readonly (readonly Part[])[]): Promise<Attackers> {
    const attackers = new Attackers(groups.map(() => startChild('attacker-process.js')));
    let place = 0;
    try {
      for (const [i, child] of attackers.#children.entries()) {
        const parts = (groups[i] ?? []).map(({ attack: { name }, clients }) => {
          return { attack: name, clients, place: place++ };
        });
        child.send({ ...aim, parts } satisfies AttackOrder);
        // One after another, so that only one at a time needs memory for large pictures.
        await nextMessage(child);
      }
      return attackers;
    } catch (error) {
      await attackers[Symbol.asyncDispose]();
      throw error;
    }
  }

  begin(): void {
    for (const child of this.#children) child.send('begin');
  }

  /** Ends the attack. Returns the sum of all tallies. */
  async stop(): Promise<Tally> {
    const tally: Record<string, number> = {};
    for (const own of await Promise.all(this.#children.map(stopChild))) {
      for (const [what, count] of Object.entries(own)) tally[what] = (tally[what] ?? 0) + count;
    }
    return tally;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(this.#children.map(endOf));
  }
}

async function stopChild(child: ChildProcess): Promise<Tally> {
  if (!child.connected) return { 'attackers that ended': 1 };
  child.send('stop');
  const answer = nextMessage(child).catch(() => ({ 'attackers that ended': 1 }));
  const [tally] = await Promise.all([answer, endOf(child)]);
  return tally as Tally;
}
