/**
 * A linear form: weights of quantities by their names, `sample`, `eps` and `noise` of a step (see `Step`), and any
 * other name for a slot of its history. Families of solvers write their papers' equations down in forms.
 */
export type Form = Readonly<Record<string, number>>;

/** The quantity of this name. */
export function quantity(name: string): Form {
  return { [name]: 1 };
}

/** The sample at this stage, in the solver's own coordinates. */
export const x = quantity('sample');
/** The predicted noise. */
export const eps = quantity('eps');
/** Gaussian noise of unit variance. */
export const z = quantity('noise');

/** The sum of forms, each times its factor. A factor of 0 leaves the form out, whatever it holds. */
export function sum(...terms: readonly (readonly [factor: number, form: Form])[]): Form {
  const total: Record<string, number> = {};
  for (const [factor, form] of terms) {
    if (factor === 0) continue;
    for (const [name, weight] of Object.entries(form)) total[name] = (total[name] ?? 0) + factor * weight;
  }
  return total;
}

/** The clean estimate x0 = (x - b eps) / a of a variance-preserving sample. */
export function cleanEstimate({ a, b }: { readonly a: number; readonly b: number }): Form {
  return sum([1 / a, x], [-b / a, eps]);
}
