// The engine's worker thread with a device that computes nothing and takes a given time for each call. All else is real:
// the graphs are loaded, and their inputs made.
import { InferenceSession } from 'onnxruntime-node';
import { getEnvironmentData } from 'node:worker_threads';
import { PacedDevice, pacedMemory } from './paced-device.js';

const device = new PacedDevice(getEnvironmentData(pacedMemory) as SharedArrayBuffer);

/** Returns which network has this output; null for text encoders. */
function networkOf({ outputNames: [first] }: InferenceSession): 'unet' | 'vae' | null {
  if (first === 'out_sample') return 'unet';
  return first?.startsWith('last_hidden_state') ? null : 'vae';
}

function paced(session: InferenceSession): InferenceSession {
  const network = networkOf(session);
  if (network === null) return session;
  // The outputs keep what is in their memory. As in the binding, the call begins in a later turn.
  const run = async (): Promise<object> => {
    await new Promise((resolve) => setImmediate(resolve));
    device.call(network);
    return {};
  };
  return new Proxy(session, {
    get: (target, name) => (name === 'run' ? run : (Reflect.get(target, name, target) as unknown)),
  });
}

const load = InferenceSession.create.bind(InferenceSession);
const create = async (...args: Parameters<typeof load>): Promise<InferenceSession> =>
  paced(await load(...args));
Object.assign(InferenceSession, { create });
await import('../../../src/engine/worker/main.js');
