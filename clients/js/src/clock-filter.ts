const samples = 8;

interface Sample {
  readonly roundTrip: number;
  readonly offset: number;
}

/**
 * Estimates how the server's clock stands to ours as NTP does (RFC 5905 sections 8 and 10): of the last eight round
 * trips the shortest counts. All times are in milliseconds.
 */
export class ClockFilter {
  #samples: readonly Sample[] = [];

  /** Notes a ping that was sent and came back by our clock, and arrived by the server's. */
  add(times: { readonly sent: number; readonly received: number; readonly returned: number }): void {
    const { sent, received, returned } = times;
    const sample = { roundTrip: returned - sent, offset: (sent + returned) / 2 - received };
    this.#samples = [...this.#samples, sample].slice(-samples);
  }

  /** The server is another one from now on. */
  forget(): void {
    this.#samples = [];
  }

  /** Our clock minus the server's; undefined before the first ping came back. */
  get offset(): number | undefined {
    return this.#best?.offset;
  }

  /** The shortest of the last round trips. */
  get roundTrip(): number | undefined {
    return this.#best?.roundTrip;
  }

  get #best(): Sample | undefined {
    return this.#samples.toSorted((a, b) => a.roundTrip - b.roundTrip)[0];
  }
}
