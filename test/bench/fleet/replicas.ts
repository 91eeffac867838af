import type { Scaling } from './scenario.js';

/** Settings of ops/kubernetes/overlays/keda: the most nodes of the last ten minutes stay, and one goes in two. */
const stabilizationSeconds = 600;
const downSeconds = 120;
/** Defaults of Kubernetes for growth: in 15 seconds four more, or twice as many. */
const upSeconds = 15;

/** Decides how many nodes there should be, as KEDA and the autoscaler of Kubernetes do. */
export class Replicas {
  readonly #scaling: Scaling;
  #wanted: number;
  #recommended: { readonly at: number; readonly nodes: number }[] = [];
  #grewAt = -Infinity;
  #shrankAt = -Infinity;

  constructor(scaling: Scaling) {
    this.#scaling = scaling;
    this.#wanted = scaling.kind === 'fixed' ? scaling.nodes : scaling.least;
  }

  get wanted(): number {
    return this.#wanted;
  }

  /** @returns whether the number has changed. */
  decide(
    now: number,
    seen: { readonly sessions: number; readonly refused: number; readonly slots: number },
  ): boolean {
    const scaling = this.#scaling;
    if (scaling.kind === 'fixed') return false;
    const { buffer, least, most, countsRefused, tolerance } = scaling;
    const needed = (seen.sessions + (countsRefused ? seen.refused : 0)) / seen.slots + buffer;
    const isNear = Math.abs(needed / this.#wanted - 1) <= tolerance;
    const nodes = Math.min(most, Math.max(least, isNear ? this.#wanted : Math.ceil(needed)));
    this.#recommended = this.#recommended.filter(({ at }) => at > now - stabilizationSeconds);
    this.#recommended.push({ at: now, nodes });
    if (nodes > this.#wanted) return this.#grow(now, nodes);
    const lowest = Math.max(...this.#recommended.map((one) => one.nodes));
    if (lowest >= this.#wanted || now - this.#shrankAt < downSeconds) return false;
    this.#shrankAt = now;
    this.#wanted -= 1;
    return true;
  }

  #grow(now: number, nodes: number): boolean {
    if (now - this.#grewAt < upSeconds) return false;
    this.#grewAt = now;
    this.#wanted = Math.min(nodes, Math.max(2 * this.#wanted, this.#wanted + 4));
    return true;
  }
}
