import { once } from 'node:events';
import { request, type Agent, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeJpeg } from '../../../src/image/encode.js';
import type { Target } from '../attack.js';

export interface OneImage {
  readonly address: string;
  readonly parameters: object;
  readonly agent: Agent;
  /** Milliseconds after which the client disconnects without a response; by default it waits. */
  readonly patience?: number;
}

const small = await encodeJpeg({ width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) }, 80);
/** Milliseconds until a refused request is repeated. */
const pause = 20;

/**
 * Sends one `POST /v1/generate` with a small picture, and counts the outcome.
 * @returns the status of the response; null if the client disconnected before.
 */
export async function generateImage(
  target: Target,
  plan: OneImage,
  signal: AbortSignal,
): Promise<number | null> {
  const { address, parameters, agent, patience = Infinity } = plan;
  const authorization = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` };
  const form = new FormData();
  form.append('image', new Blob([new Uint8Array(small)]), 'small.jpg');
  for (const [name, value] of Object.entries(parameters)) form.append(name, String(value));
  const body = new Response(form);
  const post = request(`${target.url}/v1/generate`, {
    method: 'POST',
    localAddress: address,
    agent,
    signal,
    headers: { 'content-type': body.headers.get('content-type') ?? '', ...authorization },
  });
  post.end(new Uint8Array(await body.arrayBuffer()));
  const leave = patience === Infinity ? undefined : setTimeout(() => post.destroy(new GoneError()), patience);
  try {
    const [response] = (await once(post, 'response')) as [IncomingMessage];
    for await (const part of response) void part;
    target.count(response.statusCode === 200 ? 'pictures' : `status ${response.statusCode}`);
    if (response.statusCode !== 200) await sleep(pause);
    return response.statusCode ?? null;
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    target.count('went away');
    return null;
  } finally {
    clearTimeout(leave);
  }
}

/** The client has disconnected on purpose. */
class GoneError extends Error {
  override readonly name = 'GoneError';
}
