import type { Limits } from '@millrace/protocol';

/** What an attack is aimed at. */
export interface Target {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What the server says of itself. */
  readonly limits: Limits;
  /** How many clients this attack has. */
  readonly clients: number;
  /** What the attack has prepared. */
  readonly payloads: readonly Uint8Array[];
  /** API key that the attackers have, where the server asks for one. */
  readonly token: string | undefined;
  /** Loopback address to connect from: that of the attack by default, further ones by number. */
  address(index?: number): string;
  /** Counts what became of it. */
  count(what: string): void;
}

/** One way to attack. It runs in a process of its own. */
export interface Attack {
  readonly name: string;
  /** Makes what will be sent, before the attack begins. */
  readonly payloads?: (limits: Limits) => Promise<readonly Uint8Array[]>;
  /** Attacks until the signal; what the server refuses is tried again. */
  readonly attack: (target: Target, signal: AbortSignal) => Promise<void>;
}

/** The client whose frames are counted. */
export interface BystanderPlan {
  readonly parameters: { readonly width: number; readonly height: number };
  /** Whether it sends as many frames as it can; else at a steady rate that its share allows. */
  readonly greedy: boolean;
  /** What it may have at most, as a part of its share; as much as it likes by default. */
  readonly most?: number;
}

/** One row of the table: a server, attackers and a bystander. */
export interface AttackCase {
  readonly name: string;
  /** In a few words. */
  readonly what: string;
  readonly parts: readonly { readonly attack: Attack; readonly clients: number }[];
  /** Streams of the attackers that want more of the engine than there is; all one-shots together are one. */
  readonly streams: number;
  readonly bystander?: BystanderPlan;
  /** File descriptors that the server may have. */
  readonly openFiles?: number;
  /** Whether the attack comes from so many addresses that newcomers may be refused meanwhile. */
  readonly doorMayShut?: boolean;
  /** What the attackers' API key is limited to; without it no key is asked for. */
  readonly keyLimits?: { readonly fps?: number; readonly sessions?: number };
  /** Returns what is wrong with what the attackers got in these seconds. */
  readonly check?: (tally: Tally, seconds: number) => readonly string[];
}

/** What became of what the attackers did. */
export type Tally = Readonly<Record<string, number>>;
