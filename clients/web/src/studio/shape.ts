import type { Capabilities } from '@millrace/client';
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ParameterDesk } from './parameter-desk.js';
import { aspects, framesPerSecond, sidesFor, sizeLimits, sizeOf, type Size } from './shapes.js';

/** A size to choose, and what the server can make of it. */
export interface SizeOffer {
  readonly side: number;
  readonly size: Size;
  /** Frames per second; undefined if the server does not say, 0 if it refuses the size. */
  readonly fps: number | undefined;
}

/** Difference of two aspect ratios that users do not see, after rounding to multiples. */
const tolerance = 0.06;

/** The aspect ratio and size of the results. */
export class Shape {
  /** Whether the results have the shape of the source. */
  readonly followsSource = signal(false);
  /** Size of the source's pictures; undefined before the first. */
  readonly source = signal<Size>();
  readonly limits = computed(() => this.#capabilities.value && sizeLimits(this.#capabilities.value));
  /** Side of a square with as many pixels. */
  readonly side = computed(() => Math.sqrt(this.#size.value.width * this.#size.value.height));
  readonly ratio = computed(() => this.#size.value.width / this.#size.value.height);
  /** Name of the aspect ratio in force, if it has one. */
  readonly aspect = computed(() => aspects.find(({ ratio }) => isAlike(ratio, this.ratio.value))?.name);
  readonly offers = computed<readonly SizeOffer[]>(() => this.#offers());
  readonly #desk: ParameterDesk;
  readonly #capabilities: ReadonlySignal<Capabilities | undefined>;
  readonly #size = computed<Size>(() => {
    const { width = 1, height = 1 } = this.#desk.values.value;
    return { width, height };
  });

  constructor(desk: ParameterDesk, capabilities: ReadonlySignal<Capabilities | undefined>) {
    this.#desk = desk;
    this.#capabilities = capabilities;
    effect(() => {
      const { value: source } = this.source;
      if (source !== undefined && this.followsSource.value) this.#choose(source.width / source.height);
    });
  }

  /** Follows the size of what plays in this element. */
  begin(video: HTMLVideoElement): void {
    const read = (): void => {
      if (video.videoWidth > 0) this.source.value = { width: video.videoWidth, height: video.videoHeight };
    };
    video.addEventListener('loadedmetadata', read);
    video.addEventListener('resize', read);
  }

  /** Chooses another aspect ratio with as many pixels. @param ratio absent: that of the source. */
  chooseAspect(ratio?: number): void {
    this.followsSource.value = ratio === undefined;
    if (ratio !== undefined) this.#choose(ratio);
  }

  /** Chooses another number of pixels in the same shape. */
  chooseSide(side: number): void {
    this.#choose(this.ratio.peek(), side);
  }

  #choose(ratio: number, side = this.side.peek()): void {
    const limits = this.limits.peek();
    if (limits === undefined) return;
    const { width, height } = sizeOf(ratio, side, limits);
    const present = this.#size.peek();
    if (width === present.width && height === present.height) return;
    this.#desk.set('width', width, true);
    this.#desk.set('height', height, true);
  }

  #offers(): readonly SizeOffer[] {
    const { value: limits } = this.limits;
    if (limits === undefined) return [];
    const { steps = 1, t_index_list: list, cfg_type: guidance } = this.#desk.values.value;
    const rows = (list?.length ?? steps) * (guidance === 'full' ? 2 : 1);
    const costs = this.#capabilities.value?.frame_costs;
    return sidesFor(limits, this.side.value).map((side) => {
      const size = sizeOf(this.ratio.value, side, limits);
      return { side, size, fps: costs && framesPerSecond(costs, size, rows) };
    });
  }
}

function isAlike(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < tolerance;
}
