import type { Setup } from '../rig.js';

/** One thing that a client must do. */
export interface Case {
  /** A short sentence about the client. */
  readonly name: string;
  /** What the document says of it: a client that does not do what it SHOULD do conforms all the same. */
  readonly level: 'must' | 'should';
  /** Section of PROTOCOL.md. */
  readonly section: number;
  run(setup: Setup): Promise<void>;
}
