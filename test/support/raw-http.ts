import { once } from 'node:events';
import { connect } from 'node:net';

/** An HTTP response as received. */
export interface RawHttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes over a new connection, and reads the response until the server closes it. */
export async function rawHttp(url: string, bytes: string): Promise<RawHttpAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  socket.on('error', () => {});
  if (bytes !== '') socket.write(bytes);
  await once(socket, 'close');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(first)?.[1]),
    headers: new Map(headers),
    body: rest.join('\r\n\r\n'),
  };
}
