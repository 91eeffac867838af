import type { Limits } from '@millrace/protocol';

/** The target of an attack. */
export interface Target {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The limits that the server reports. */
  readonly limits: Limits;
  /** Number of clients of this attack. */
  readonly clients: number;
  /** The data that the attack has prepared. */
  readonly payloads: readonly Uint8Array[];
  /** API key of the attackers, if the server requires one. */
  readonly token: string | undefined;
  /** Returns a loopback address to connect from: by default that of the attack, others by number. */
  address(index?: number): string;
  /** Counts an outcome. */
  count(what: string): void;
}

/** One way to attack. It runs in a separate process. */
export interface Attack {
  readonly name: string;
  /** Prepares the data to send, before the attack begins. */
  readonly payloads?: (limits: Limits) => Promise<readonly Uint8Array[]>;
  /** Attacks until the signal aborts; retries what the server refuses. */
  readonly attack: (target: Target, signal: AbortSignal) => Promise<void>;
}

/** The client whose frames are counted. */
export interface BystanderPlan {
  readonly parameters: { readonly width: number; readonly height: number };
  /** Whether it sends as many frames as it can; otherwise it sends at a steady rate within its share. */
  readonly greedy: boolean;
  /** The most that it may get, relative to its share; unlimited by default. */
  readonly most?: number;
}

/** One row of the table: a server, attackers and a bystander. */
export interface AttackCase {
  readonly name: string;
  /** A short description. */
  readonly what: string;
  readonly parts: readonly { readonly attack: Attack; readonly clients: number }[];
  /** Streams of the attackers that overload the engine; all one-shots together are one. */
  readonly streams: number;
  readonly bystander?: BystanderPlan;
  /** Maximum number of file descriptors of the server. */
  readonly openFiles?: number;
  /** Whether the attack comes from so many addresses that new clients may be refused during it. */
  readonly doorMayShut?: boolean;
  /** Limits of the attackers' API key; if absent, the server requires no key. */
  readonly keyLimits?: { readonly fps?: number; readonly sessions?: number };
  /** Returns the faults in what the attackers got in these seconds. */
  readonly check?: (tally: Tally, seconds: number) => readonly string[];
}

/** The outcomes of an attack, by name. */
export type Tally = Readonly<Record<string, number>>;
