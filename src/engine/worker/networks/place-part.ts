import type { Conversions } from '../../../model/onnx/borders.js';
import { oneLine } from '../../as-error.js';
import { DeviceError, deviceName, type Device } from '../../device.js';
import { attentionFault } from '../devices/fused-attention.js';
import { sessionOptions, type SessionSettings } from '../devices/session-options.js';
import { Resources } from './resources.js';
import { OnnxPart } from './onnx-part.js';

export interface Placing extends SessionSettings {
  readonly device: Device;
  /** Receives which networks do not run on the device, and why. */
  readonly onNote: (text: string) => void;
}

/** What becomes of a network that is loaded. */
export interface PartUse<Made> {
  /** What becomes of its ports; nothing if absent. */
  readonly conversions?: Conversions;
  /** Makes what uses the network, and the CPU with so many threads; throws if it does not fit. */
  readonly make: (part: OnnxPart, threads: number) => Made | Promise<Made>;
  /** Runs the network as it will be run later; without it, `make` does. */
  readonly trial?: (made: Made) => Promise<unknown>;
  /** Disposes of what was made, without the network; absent if it holds nothing else. */
  readonly discard?: (made: Made) => Promise<void>;
  /** Whether it is too slow on the CPU to be of use there. */
  readonly isTooLarge?: boolean;
}

export interface Placed<Made> {
  readonly made: Made;
  /** The network, and what was made of it. */
  readonly resources: AsyncDisposable;
}

/**
 * Loads a network for the device. Which operators and types a device computes depends on its driver, and shows only in
 * a run: so the network is tried, and one that fails is loaded for the CPU, with a note.
 * @param what names the network, as in "text encoder".
 * @throws the error of the CPU if the network fails there too, since the model is at fault then.
 * @throws {DeviceError} if it fails on the device only, and is too large for the CPU.
 */
export async function placePart<Made>(
  what: string,
  file: string,
  options: Placing,
  use: PartUse<Made>,
): Promise<Placed<Made>> {
  const { device, onNote } = options;
  const onCpu = async (withTrial: boolean): Promise<Placed<Made>> =>
    load(file, { ...options, device: { provider: 'cpu', index: 0 } }, use, withTrial);
  // Its first run will be the same as a trial.
  if (device.provider === 'cpu') return onCpu(false);
  try {
    const fault = await attentionFault(file, device);
    if (fault !== null) throw new DeviceError(fault);
    return await load(file, options, use, true);
  } catch (error) {
    const reason = oneLine(error);
    const placed = await onCpu(true);
    if (use.isTooLarge) {
      await placed.resources[Symbol.asyncDispose]();
      const advice = 'export it in another form, such as float32, or choose another device';
      throw new DeviceError(`device ${deviceName(device)} cannot run the ${what}: ${reason}; ${advice}`);
    }
    onNote(
      `the ${what} runs on the CPU, since ${deviceName(device)} cannot run it: ${reason}; if that is too slow, ` +
        'export it in another form, such as float32, or choose another device',
    );
    return placed;
  }
}

async function load<Made>(
  file: string,
  options: Placing,
  { conversions, make, trial, discard }: PartUse<Made>,
  withTrial: boolean,
): Promise<Placed<Made>> {
  await using loaded = new Resources();
  const part = loaded.use(await OnnxPart.load(file, sessionOptions(options.device, options), conversions));
  const made = await make(part, options.threads);
  if (discard) loaded.use({ [Symbol.asyncDispose]: () => discard(made) });
  if (withTrial) await trial?.(made);
  return { made, resources: loaded.move() };
}
