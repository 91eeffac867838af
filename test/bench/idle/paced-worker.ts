// The engine's worker thread with a device that computes nothing and takes a given time for each call. All else is real:
// the graphs are loaded, their inputs made, and the graphs run that are neither a U-Net nor a VAE.
import { InferenceSession } from 'onnxruntime-node';
import { getEnvironmentData } from 'node:worker_threads';
import { ownThread } from '../thread-clock.js';
import { PacedDevice, pacedMemory } from './paced-device.js';

const device = new PacedDevice(getEnvironmentData(pacedMemory) as SharedArrayBuffer);
device.thread = ownThread();

type Run = (...given: readonly unknown[]) => Promise<object>;

/** Returns which network has this output; null for other graphs. */
function networkOf({ outputNames: [first = ''] }: InferenceSession): 'unet' | 'vae' | null {
  if (first === 'out_sample') return 'unet';
  return /^(sample|latent)/.test(first) ? 'vae' : null;
}

function paced(session: InferenceSession): InferenceSession {
  const network = networkOf(session);
  // The outputs keep what is in their memory. As in the binding, the call begins in a later turn.
  const pretend: Run = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (network) device.call(network);
    return {};
  };
  const really = session.run.bind(session) as Run;
  const timed: Run = async (...given) => {
    const start = performance.now();
    const result = await really(...given);
    device.graphRan(performance.now() - start);
    return result;
  };
  const run = network ? pretend : timed;
  return new Proxy(session, {
    get: (target, name) => (name === 'run' ? run : (Reflect.get(target, name, target) as unknown)),
  });
}

const load = InferenceSession.create.bind(InferenceSession);
const create = async (...args: Parameters<typeof load>): Promise<InferenceSession> =>
  paced(await load(...args));
Object.assign(InferenceSession, { create });
await import('../../../src/engine/worker/main.js');
