import { dirname, join } from 'node:path';
import type { Image } from '../../../image/image.js';
import { isPreprocessorName, preprocessorNames } from '../../../image/preprocess/preprocessors.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { PreprocessorLayout } from '../../../model/layout/preprocessor.js';
import { ModelError } from '../../../model/model-error.js';
import type { Preprocessor } from './preprocessor.js';

/** A picture that becomes a control picture. */
export interface PictureJob {
  /** Name of a preprocessor of the model. */
  readonly preprocessor: string;
  readonly image: Image;
}

/**
 * Checks that each control of a model has a preprocessor that exists, or none.
 * @throws {ModelError} naming those that exist.
 */
export function checkPreprocessors({ root, controls }: Pick<ModelFolder, 'root' | 'controls'>): void {
  for (const { name, preprocessor, preprocessors } of controls) {
    if (preprocessor === null || isPreprocessorName(preprocessor) || preprocessors.includes(preprocessor))
      continue;
    const known = [...preprocessorNames, ...preprocessors].join(', ');
    throw new ModelError(
      join(root, 'unet_steered', 'config.json'),
      `the control ${name} has the preprocessor ${preprocessor}, which is unknown; there are ${known}`,
    );
  }
}

/** The networks of a model that make control pictures. */
export class Preprocessors {
  readonly #networks: ReadonlyMap<string, Preprocessor>;

  private constructor(networks: ReadonlyMap<string, Preprocessor>) {
    this.#networks = networks;
  }

  /**
   * @param load loads a network, which the caller disposes of.
   * @throws {ModelError} if a network cannot be used.
   */
  static async load(
    layouts: readonly PreprocessorLayout[],
    load: (layout: PreprocessorLayout) => Promise<Preprocessor>,
  ): Promise<Preprocessors> {
    const networks = new Map<string, Preprocessor>();
    for (const layout of layouts) {
      const { name, graph } = layout;
      if (isPreprocessorName(name)) {
        throw new ModelError(
          dirname(graph.file),
          `${name} is the name of a preprocessor that needs no network; rename the folder`,
        );
      }
      networks.set(name, await load(layout));
    }
    return new Preprocessors(networks);
  }

  /**
   * Returns a control picture for each job, of the size of its picture and in new memory; null where the network
   * computes NaN or infinite values. Jobs with the same preprocessor and size of its input share a call.
   * @throws {RangeError} if the model lacks a preprocessor.
   */
  async preparePictures(jobs: readonly PictureJob[]): Promise<readonly (Image | null)[]> {
    const groups = new Map<string, { readonly network: Preprocessor; readonly jobs: number[] }>();
    jobs.forEach(({ preprocessor, image }, index) => {
      const network = this.#networks.get(preprocessor);
      if (network === undefined) throw new RangeError(`the model has no preprocessor ${preprocessor}`);
      const { width, height } = network.inputSize(image);
      const key = `${preprocessor} ${width}x${height}`;
      const group = groups.get(key);
      if (group) group.jobs.push(index);
      else groups.set(key, { network, jobs: [index] });
    });
    const results: (Image | null)[] = jobs.map(() => null);
    for (const { network, jobs: indices } of groups.values()) {
      const pictures = await network.prepare(indices.flatMap((index) => jobs[index]?.image ?? []));
      indices.forEach((index, i) => (results[index] = pictures[i] ?? null));
    }
    return results;
  }
}
