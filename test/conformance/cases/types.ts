import type { Setup } from '../rig.js';

/** One thing that a client must do. */
export interface Case {
  /** A short sentence about the client. */
  readonly name: string;
  /** Section of PROTOCOL.md. */
  readonly section: number;
  run(setup: Setup): Promise<void>;
}
