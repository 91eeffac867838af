export type Three = readonly [number, number, number];

/** How bytes become values of a network: channel c of its input is byte * scale[c] + shift[c]. */
export interface Scaling {
  readonly scale: Three;
  readonly shift: Three;
}

/** Returns the scaling of image processors in transformers, which normalise values from 0 to 1. */
export function normalisation(mean: Three, std: Three): Scaling {
  return {
    scale: [1 / (255 * std[0]), 1 / (255 * std[1]), 1 / (255 * std[2])],
    shift: [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]],
  };
}
