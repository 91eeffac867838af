/** The period that figures of "now" cover, of sessions as of the server: long enough that single frames do not show. */
export const windowMs = 12_000;
/** Maximum number of values that are kept. */
const most = 2400;

/** Values of the last seconds. */
export class Recent {
  readonly #entries: { readonly at: number; readonly value: number }[] = [];

  add(at: number, value = 0): void {
    this.#entries.push({ at, value });
    if (this.#entries.length > most) this.#entries.shift();
    this.#forget(at);
  }

  /** Returns the values per second. @param age of what is measured, in milliseconds. */
  rate(now: number, age: number): number {
    this.#forget(now);
    return this.#entries.length / (Math.min(windowMs, Math.max(1000, age)) / 1000);
  }

  /** Returns the quantiles at these parts, 0 to 1; null if there are no values. */
  quantiles<Parts extends readonly number[]>(
    now: number,
    ...parts: Parts
  ): { readonly [Part in keyof Parts]: number } | null {
    this.#forget(now);
    const values = this.#entries.map(({ value }) => value).sort((a, b) => a - b);
    if (values.length === 0) return null;
    const at = (part: number): number => values[Math.ceil(part * values.length) - 1] ?? Number.NaN;
    return parts.map(at) as { readonly [Part in keyof Parts]: number };
  }

  #forget(now: number): void {
    let old = 0;
    for (const { at } of this.#entries) {
      if (at >= now - windowMs) break;
      old += 1;
    }
    if (old > 0) this.#entries.splice(0, old);
  }
}
