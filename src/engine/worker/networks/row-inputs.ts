import type { Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { CallSize, UnetInput, UnetLayout } from '../../../model/layout/unet.js';
import { guidanceConditioning } from './guidance-embedding.js';
import { clearNumbers, InputScratch, writeNumbers, type Feed } from './onnx-part.js';
import { volume } from './sizes.js';

/** The values of a row that has none. */
const none: readonly number[] = [];

/** Takes the values of some of a U-Net's inputs from rows. */
export class RowInputs {
  readonly #folder: ModelFolder;
  readonly #inputs: readonly { readonly input: UnetInput; readonly scratch: InputScratch }[];
  /** For rows without a guidance scale: that of scale 1. */
  readonly #unguided: ReturnType<typeof guidanceConditioning>;
  /** The timestep of the row that is being read. */
  readonly #timestep = [0];

  /** @param unet which U-Net. @param inputs which of its inputs. */
  constructor(folder: ModelFolder, unet: UnetLayout, inputs: readonly UnetInput[]) {
    this.#folder = folder;
    this.#inputs = inputs.map((input) => ({ input, scratch: new InputScratch(input.port) }));
    this.#unguided = guidanceConditioning(unet, 1);
  }

  /** Returns the values of each input for a row; those of few numbers are valid until the next call. */
  valuesOf(row: Row, call: CallSize): readonly ArrayLike<number>[] {
    return this.#inputs.map(({ input }) => this.#source(input, call)(row));
  }

  /** Returns what each input takes from the rows, one row after another. */
  feeds(rows: readonly Row[], call: CallSize): Feed[] {
    return this.#inputs.map(({ input, scratch }) => {
      const given = input.from === 'timestep' ? rows.slice(0, call.timesteps) : rows;
      const shape = input.shape(call);
      const data = scratch.take(volume(shape));
      const length = data.length / given.length;
      const valuesOf = this.#source(input, call);
      given.forEach((row, i) => {
        const values = valuesOf(row);
        const isLess = values.length < length && (values === none || input.optional === 'part');
        if (values.length !== length && !isLess) {
          throw new RangeError(`${input.port.name}: a row has ${values.length} values, not ${length}`);
        }
        writeNumbers(data, values, i * length);
        if (isLess) clearNumbers(data, i * length + values.length, (i + 1) * length);
      });
      return { port: input.port, data, shape };
    });
  }

  /** Returns how to get the values of an input from a row. */
  #source({ port, from, optional, scales }: UnetInput, call: CallSize): (row: Row) => ArrayLike<number> {
    switch (from) {
      case 'sample':
        return ({ input }) => input;
      case 'timestep':
        return ({ stage }) => {
          this.#timestep[0] = stage.timestep;
          return this.#timestep;
        };
      case 'conditioning':
        return ({ conditioning }) => {
          if (scales !== undefined && !conditioning[scales]) return none;
          const values = conditioning[port.name] ?? this.#unguided?.[port.name];
          if (!values && optional) return none;
          if (!values) throw new RangeError(`${port.name}: a row has no values for this input`);
          return values;
        };
      case 'size': {
        const { pixelFactor } = this.#folder;
        const [height, width] = [call.height * pixelFactor, call.width * pixelFactor];
        // The picture is whole: original and target size are equal, and nothing is cropped.
        const size = [height, width, 0, 0, height, width];
        return () => size;
      }
    }
  }
}
