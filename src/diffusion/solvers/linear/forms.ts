/**
 * A linear form: weights by the name of a quantity: `sample`, `eps` and `noise` of a step (see `Step`), `one`, or a slot
 * of its history. Solvers state the equations of their papers in forms.
 */
export type Form = Readonly<Record<string, number>>;

/** Returns the form of one quantity. */
export function quantity(name: string): Form {
  return { [name]: 1 };
}

/** The sample at this stage, in the solver's own coordinates. */
export const x = quantity('sample');
/** The predicted noise. */
export const eps = quantity('eps');
/** Gaussian noise of unit variance. */
export const z = quantity('noise');

/** The number 1, for constant summands. */
export const one = quantity('one');

/** Returns the sum of forms, each times its factor. A form with factor 0 is skipped, even if it is not finite. */
export function sum(...terms: readonly (readonly [factor: number, form: Form])[]): Form {
  const total: Record<string, number> = {};
  for (const [factor, form] of terms) {
    if (factor === 0) continue;
    for (const [name, weight] of Object.entries(form)) total[name] = (total[name] ?? 0) + factor * weight;
  }
  return total;
}

/** Returns the clean estimate x0 = (x - b eps) / a of a variance-preserving sample. */
export function cleanEstimate({ a, b }: { readonly a: number; readonly b: number }): Form {
  return sum([1 / a, x], [-b / a, eps]);
}
