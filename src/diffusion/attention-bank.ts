import type { Plan } from './in-flight.js';
import type { Row, RowValues } from './rows.js';
import type { Lane } from './stream.js';

/** A self-attention layer that also sees keys and values of earlier frames. */
export interface BankLayer {
  /** Side of the latent over side of the layer's map, which is rounded up. */
  readonly divisor: number;
  /** Width of a key, and of a value. */
  readonly width: number;
}

export interface BankSettings {
  /** Most frames that are kept for each stage and role. */
  readonly frames: number;
  /** Of the frames that pass a stage, every how many-th is kept, beginning with the first. */
  readonly interval: number;
}

/** What is kept for one stage and role. */
interface Shelf {
  readonly stage: number;
  readonly role: Row['role'];
  /** Frames that have passed. */
  passed: number;
  kept: number;
  /** For each layer [frames, 2, positions, width]. */
  readonly layers: readonly Float32Array[];
}

/**
 * The attention bank of a stream, for frames of one plan: keys and values of the last frames that passed each stage, in
 * each role (StreamV2V, Liang et al. 2024, with empty slots masked). A row attends to its own keys and values and to those in
 * its bank, whose order has no meaning. Frames of other plans neither use nor change it.
 */
export class AttentionBank {
  readonly #layers: readonly BankLayer[];
  readonly #plan: Pick<Plan, 'shape' | 'solver'>;
  readonly #shelves = new Map<string, Shelf>();
  readonly frames: number;
  interval: number;

  constructor(
    layers: readonly BankLayer[],
    plan: Pick<Plan, 'shape' | 'solver'>,
    { frames, interval }: BankSettings,
  ) {
    this.#layers = layers;
    this.#plan = plan;
    this.frames = frames;
    this.interval = interval;
  }

  /**
   * Returns the lane with what its rows take from the bank: `bank_0`, ... [slots, 2, positions, width], and `bank_mask`
   * [slots], with as many slots as are filled. Valid until the lane is absorbed.
   */
  fill(lane: Lane): Lane {
    if (!this.#fits(lane)) return lane;
    const rows = lane.rows.map((row): Row => {
      const conditioning = { ...row.conditioning, ...this.#valuesFor(lane.stageIndex, row.role) };
      return { ...row, conditioning };
    });
    return { ...lane, rows };
  }

  /**
   * Takes note that a lane's frame has passed its stage.
   * @param computed for each row of the lane the keys and values of each layer [2, positions, width].
   */
  keep(lane: Lane, computed: readonly (readonly Float32Array[])[]): void {
    if (!this.#fits(lane)) return;
    for (const [i, { role }] of lane.rows.entries()) {
      const layers = computed[i];
      // A row that was formed before there was a bank has none.
      if (layers?.length !== this.#layers.length) continue;
      const shelf = this.#shelf(lane.stageIndex, role);
      if (shelf.passed++ % this.interval !== 0) continue;
      const slot = shelf.kept++ % this.frames;
      for (const [k, values] of layers.entries()) shelf.layers[k].set(values, slot * values.length);
    }
  }

  /** Forgets what it has kept, except of rows that `remains` names. */
  forget(remains: (stage: number, role: Row['role']) => boolean = () => false): void {
    for (const [name, { stage, role }] of this.#shelves) {
      if (!remains(stage, role)) this.#shelves.delete(name);
    }
  }

  /** Whether the lane is of a frame with the same stages and size. */
  #fits({ shape, stageIndex, rows: [row] }: Lane): boolean {
    const stage = this.#plan.solver.stages[stageIndex];
    return (
      stage?.timestep === row?.stage.timestep && shape.every((side, axis) => side === this.#plan.shape[axis])
    );
  }

  #valuesFor(stage: number, role: Row['role']): RowValues {
    const { kept, layers } = this.#shelf(stage, role);
    const slots = Math.min(kept, this.frames);
    const values: Record<string, Float32Array> = { bank_mask: new Float32Array(slots).fill(1) };
    for (const [k, all] of layers.entries()) {
      values[`bank_${k}`] = all.subarray(0, (all.length / this.frames) * slots);
    }
    return values;
  }

  #shelf(stage: number, role: Row['role']): Shelf {
    const name = `${stage} ${role}`;
    let shelf = this.#shelves.get(name);
    if (shelf === undefined) {
      const layers = this.#layers.map(
        (layer) => new Float32Array(this.frames * slotLength(layer, this.#plan.shape)),
      );
      this.#shelves.set(name, (shelf = { stage, role, passed: 0, kept: 0, layers }));
    }
    return shelf;
  }
}

/** Returns the bytes of a bank for frames that need so many rows from their first stage to their last. */
export function bankBytes(
  layers: readonly BankLayer[],
  shape: Plan['shape'],
  { frames, rows }: { readonly frames: number; readonly rows: number },
): number {
  const values = layers.reduce((sum, layer) => sum + slotLength(layer, shape), 0);
  return frames * rows * values * Float32Array.BYTES_PER_ELEMENT;
}

/** Returns how many keys and values a layer keeps of a row. */
function slotLength({ divisor, width }: BankLayer, [, height, rowLength]: Plan['shape']): number {
  return 2 * Math.ceil(height / divisor) * Math.ceil(rowLength / divisor) * width;
}
