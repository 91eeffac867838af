import type { Candidate } from './placement.js';

/** How often a balancer asks the agents, in seconds (`agent-inter` of ops/haproxy). */
const agentSeconds = 0.5;

/** A server of the simulated fleet. */
export class SimulatedNode implements Candidate {
  readonly number: number;
  readonly zone: number;
  readonly isSpot: boolean;
  readonly requestedAt: number;
  state: 'starting' | 'ready' | 'draining' | 'gone' = 'starting';
  /** Percentage of free slots by the agent's last answer. */
  weight = 0;
  readonly sessions: number[] = [];
  readonly #slots: number;
  /** Which answer of the agent the balancer knows. */
  #answer = -1;

  constructor(slots: number, place: Pick<SimulatedNode, 'number' | 'zone' | 'isSpot' | 'requestedAt'>) {
    this.#slots = slots;
    this.number = place.number;
    this.zone = place.zone;
    this.isSpot = place.isSpot;
    this.requestedAt = place.requestedAt;
  }

  get count(): number {
    return this.sessions.length;
  }

  /** Takes note of the sessions before they change: the balancer knows of the change with the next answer. */
  keepAnswer(now: number): void {
    const answer = Math.floor(now / agentSeconds);
    if (answer === this.#answer) return;
    this.#answer = answer;
    this.weight = Math.ceil((100 * (this.#slots - this.count)) / this.#slots);
  }
}
