import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

interface Sender {
  /** The loopback address that the request comes from. */
  readonly from: string;
  /** What it says in the header X-Forwarded-For. */
  readonly forwarded?: string;
  /** JSON; without it, the request is a GET. */
  readonly body?: string;
}

/** Sends a request over a connection of its own, and returns the status of its answer. */
export async function statusOf(url: string, { from, forwarded, body }: Sender): Promise<number | undefined> {
  const asked = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    localAddress: from,
    headers: {
      ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
      'content-type': 'application/json',
      connection: 'close',
    },
  });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}
