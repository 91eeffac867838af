const maxSamples = 8;

interface Sample {
  readonly roundTrip: number;
  readonly offset: number;
}

/**
 * Estimates the offset between the server's clock and ours as NTP does (RFC 5905 sections 8 and 10), from the shortest
 * of the last eight round trips. All times are in milliseconds.
 */
export class ClockFilter {
  #samples: readonly Sample[] = [];

  /** Records a ping: sent and returned by our clock, received by the server's. */
  add(times: { readonly sent: number; readonly received: number; readonly returned: number }): void {
    const { sent, received, returned } = times;
    const sample = { roundTrip: returned - sent, offset: (sent + returned) / 2 - received };
    this.#samples = [...this.#samples, sample].slice(-maxSamples);
  }

  /** Discards all samples, for use with another server. */
  forget(): void {
    this.#samples = [];
  }

  /** Our clock minus the server's; undefined before the first pong. */
  get offset(): number | undefined {
    return this.#best?.offset;
  }

  /** The shortest of the recent round trips; undefined before the first pong. */
  get roundTrip(): number | undefined {
    return this.#best?.roundTrip;
  }

  get #best(): Sample | undefined {
    return this.#samples.toSorted((a, b) => a.roundTrip - b.roundTrip)[0];
  }
}
