import type { Setup } from '../rig.js';

/** One thing that a client must do. */
export interface Case {
  /** A short sentence about the client. */
  readonly name: string;
  /** The level in the document: a client that fails a SHOULD still conforms. */
  readonly level: 'must' | 'should';
  /** Section of PROTOCOL.md. */
  readonly section: number;
  run(setup: Setup): Promise<void>;
}
