import { describeAllowed, type ParameterName, type ParameterSchema } from '@millrace/protocol';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { oscRoot } from './osc-address.js';

/** A node of the address space, as in the OSCQuery proposal. */
interface OscNode {
  readonly FULL_PATH: string;
  readonly DESCRIPTION?: string;
  readonly TYPE?: string;
  /** 2: it can be written, and not read. */
  readonly ACCESS?: number;
  readonly RANGE?: readonly object[];
  readonly CONTENTS?: Readonly<Record<string, OscNode>>;
}

/** Most connections at the same time: programs ask once. */
const maxConnections = 16;
const timeoutMs = 5000;

/** Creates the server that describes every address, over HTTP at the port of the same number (OSCQuery). */
export function createQueryServer(
  schemas: Readonly<Record<ParameterName, ParameterSchema>>,
  port: () => number,
): Server {
  const contents = Object.entries(schemas).map(([name, schema]) => [name, describe(name, schema)] as const);
  const root: OscNode = {
    FULL_PATH: '/',
    CONTENTS: { [oscRoot]: { FULL_PATH: `/${oscRoot}`, CONTENTS: Object.fromEntries(contents) } },
  };
  const server = createServer((request, response) => answer(request, response, root, port()));
  server.maxConnections = maxConnections;
  server.requestTimeout = timeoutMs;
  server.headersTimeout = timeoutMs;
  return server;
}

function answer(request: IncomingMessage, response: ServerResponse, root: OscNode, port: number): void {
  const [path = '', query] = (request.url ?? '').split('?');
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  if (query === 'HOST_INFO') return sendJson(response, hostInfo(port));
  let node: OscNode | undefined = root;
  for (const part of path.split('/').filter(Boolean)) {
    const contents: OscNode['CONTENTS'] = node?.CONTENTS;
    node = contents && Object.hasOwn(contents, part) ? contents[part] : undefined;
  }
  if (node === undefined) return void response.writeHead(404).end();
  if (query === undefined) return sendJson(response, node);
  if (!Object.hasOwn(node, query)) return void response.writeHead(204).end();
  sendJson(response, { [query]: node[query as keyof OscNode] });
}

function hostInfo(port: number): object {
  return {
    NAME: 'Millrace',
    OSC_PORT: port,
    OSC_TRANSPORT: 'UDP',
    EXTENSIONS: { ACCESS: true, DESCRIPTION: true, RANGE: true, TYPE: true, VALUE: false },
  };
}

function describe(name: string, schema: ParameterSchema): OscNode {
  const { description, minimum, maximum, enum: choices } = schema;
  const bounds = {
    ...(minimum !== undefined && { MIN: minimum }),
    ...(maximum !== undefined && { MAX: maximum }),
  };
  const range = choices ? { VALS: choices } : bounds;
  return {
    FULL_PATH: `/${oscRoot}/${name}`,
    DESCRIPTION: `${description} (${describeAllowed(schema)})`,
    TYPE: typeOf(schema),
    ACCESS: 2,
    ...(Object.keys(range).length > 0 && { RANGE: [range] }),
  };
}

/** Returns the type of the first value: text where it can have several forms. */
function typeOf({ type, anyOf, enum: choices }: ParameterSchema): string {
  if (choices) return choices.some((choice) => typeof choice === 'number') ? 'i' : 's';
  const [first = 's'] = [type ?? anyOf?.[0]?.type ?? 'string'].flat();
  const types: Readonly<Record<string, string>> = { number: 'f', integer: 'i', boolean: 'T', array: 'i' };
  return types[first] ?? 's';
}

function sendJson(response: ServerResponse, body: object): void {
  const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
  response.writeHead(200, headers).end(JSON.stringify(body));
}
