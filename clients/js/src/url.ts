const webSocketSchemes: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:' };
const httpSchemes: Readonly<Record<string, string>> = { 'ws:': 'http:', 'wss:': 'https:' };

/** Address of the stream: with a WebSocket scheme, and /v1/stream where no path is given. */
export function streamUrl(url: string | URL): URL {
  const stream = new URL(url);
  stream.protocol = webSocketSchemes[stream.protocol] ?? stream.protocol;
  if (stream.pathname === '/') stream.pathname = '/v1/stream';
  return stream;
}

/** Address of another resource of the same server. */
export function resourceUrl(url: string | URL, path: string): URL {
  const resource = new URL(path, url);
  resource.protocol = httpSchemes[resource.protocol] ?? resource.protocol;
  return resource;
}
