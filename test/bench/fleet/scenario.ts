import type { PlacementRule } from './placement.js';

/** How many nodes there are. */
export type Scaling =
  | { readonly kind: 'fixed'; readonly nodes: number }
  | {
      /** As ops/kubernetes/overlays/keda: (sessions + waiting) / slots, and so many more. */
      readonly kind: 'keda';
      readonly buffer: number;
      readonly least: number;
      readonly most: number;
      /** Whether clients who were refused by the balancer, and come back, count as waiting. */
      readonly countsRefused: boolean;
      /** The autoscaler of Kubernetes does nothing for smaller differences: 0.1 is its default. */
      readonly tolerance: number;
    };

/** A fleet and what happens to it. */
export interface Scenario {
  /** When sessions come: how many in each of equal parts of the time. */
  readonly shape: readonly number[];
  readonly sessions: number;
  readonly hours: number;
  /** Mean length of a session. */
  readonly stayMinutes: number;
  /** How long users wait for a slot before they give up; Infinity if they never do. */
  readonly patienceSeconds: number;
  /** Slots of a node. */
  readonly slots: number;
  readonly scaling: Scaling;
  /** How long a new node takes to come. */
  readonly startMinutes: number;
  readonly placement: PlacementRule;
  readonly zones: number;
  /** Hour at which one of the zones fails, for an hour; Infinity: never. */
  readonly zoneFailsAtHour: number;
  /** Share of the nodes that can be taken away, with two minutes' notice. */
  readonly spotShare: number;
  /** Mean hours until that happens. */
  readonly spotHours: number;
  readonly seed: number;
}

/** The defaults of the planner. */
export const usualScenario: Scenario = {
  shape: [1],
  sessions: 20_000,
  hours: 24,
  stayMinutes: 10,
  patienceSeconds: 120,
  slots: 8,
  scaling: { kind: 'keda', buffer: 1, least: 2, most: 100_000, countsRefused: true, tolerance: 0.1 },
  startMinutes: 3,
  placement: 'leastconn',
  zones: 3,
  zoneFailsAtHour: Infinity,
  spotShare: 0,
  spotHours: 6,
  seed: 1,
};
