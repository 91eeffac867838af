import type { Logger } from 'pino';
import type { Metrics } from '../../metrics/metrics.js';
import { TokenBucket } from '../time/token-bucket.js';
import type { TokenFault } from './resume-token.js';

/** Between two lines with the same cause: anybody can send what is no token. */
const lineSeconds = 60;

const causes: Readonly<Record<TokenFault, string>> = {
  key: 'resume tokens of another key, or changed ones, are refused: give all servers of the fleet the same resumeKey',
  version: 'resume tokens of another release are refused; during an update this is normal',
  expired:
    'expired resume tokens are refused: their clients came back later than resumeSeconds, or the clocks of the servers differ',
};
const noKey =
  'resume tokens of another key are refused: this server has no resumeKey and made up its own; with one, streams go on after a restart and on other servers';

/** Counts resume tokens that cannot be opened, and tells operators why: at most one line a minute for each cause. */
export class TokenFaults {
  readonly #hasKey: boolean;
  readonly #metrics: Pick<Metrics, 'resumeFault'>;
  readonly #log: Logger;
  readonly #lines = new Map<TokenFault, TokenBucket>();
  readonly #unlogged = new Map<TokenFault, number>();

  /** @param hasKey whether the key is the operator's. */
  constructor(hasKey: boolean, metrics: Pick<Metrics, 'resumeFault'>, log: Logger) {
    this.#hasKey = hasKey;
    this.#metrics = metrics;
    this.#log = log;
  }

  note(cause: TokenFault): void {
    this.#metrics.resumeFault(cause);
    const tokens = (this.#unlogged.get(cause) ?? 0) + 1;
    const lines = this.#lines.get(cause) ?? new TokenBucket(1 / lineSeconds, 1);
    this.#lines.set(cause, lines);
    const isDue = lines.take();
    this.#unlogged.set(cause, isDue ? 0 : tokens);
    if (!isDue) return;
    const isWrong = cause === 'key' && this.#hasKey;
    const words = cause === 'key' && !this.#hasKey ? noKey : causes[cause];
    this.#log[isWrong ? 'warn' : 'info']({ cause, tokens }, words);
  }
}
