import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { definitions, type MetricDefinition, type MetricName } from './definitions.js';

type Definition<Name extends MetricName> = (typeof definitions)[Name];
type LabelsOf<Name extends MetricName> =
  Definition<Name> extends { readonly labels: infer Labels } ? keyof Labels & string : never;

interface Kinds<Labels extends string> {
  readonly counter: Counter<Labels>;
  readonly gauge: Gauge<Labels>;
  readonly histogram: Histogram<Labels>;
}

/** All metrics of the table by name. */
export type Series = {
  readonly [Name in MetricName]: Kinds<LabelsOf<Name>>[Definition<Name>['type']];
};

/** Prefix of everything that this server exports. */
export const prefix = 'millrace_';

/**
 * Creates all metrics of the table. Series with known label values start at 0, so that a rate includes the first event.
 */
export function createSeries(registry: Registry): Series {
  const entries = Object.entries<MetricDefinition>(definitions).map(([name, definition]) => [
    name,
    create(registry, name, definition),
  ]);
  return Object.fromEntries(entries) as Series;
}

function create(
  registry: Registry,
  name: string,
  { type, help, buckets = [], labels = {} }: MetricDefinition,
): Kinds<string>[keyof Kinds<string>] {
  const common = { name: prefix + name, help, labelNames: Object.keys(labels), registers: [registry] };
  const known = Object.entries(labels).flatMap(([label, values]) =>
    (values ?? []).map((value) => ({ [label]: value })),
  );
  switch (type) {
    case 'counter': {
      const counter = new Counter(common);
      for (const each of known) counter.inc(each, 0);
      return counter;
    }
    case 'gauge': {
      const gauge = new Gauge(common);
      for (const each of known) gauge.set(each, 0);
      return gauge;
    }
    case 'histogram': {
      const histogram = new Histogram({ ...common, buckets: [...buckets] });
      for (const each of known) histogram.zero(each);
      return histogram;
    }
  }
}
