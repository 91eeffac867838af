import { MillraceError } from './errors.js';

const webSocketSchemes: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};
const httpSchemes: Readonly<Record<string, string>> = { 'ws:': 'http:', 'wss:': 'https:' };

/** Names and addresses of this machine, where servers rarely have a certificate. */
const ownMachine = /^(localhost|(.+\.)?localhost|127(\.\d+){1,3}|0\.0\.0\.0|\[::1?\])$/;

/**
 * Returns the address of the stream: with a WebSocket scheme, and by default the path /v1/stream. Without a scheme,
 * this machine (localhost, 127.0.0.1, [::1]) uses ws, and all others wss.
 * @throws {MillraceError} invalid_url
 */
export function streamUrl(url: string | URL): URL {
  const text = String(url).trim();
  const stream = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? parse(text, text) : withScheme(text);
  const scheme = webSocketSchemes[stream.protocol];
  if (scheme === undefined) throw invalid(text, `${stream.protocol}// is not one of http, https, ws and wss`);
  stream.protocol = scheme;
  stream.hash = '';
  if (/^(\/+|\/v1\/stream\/)$/.test(stream.pathname)) stream.pathname = '/v1/stream';
  return stream;
}

/**
 * Returns the address of another resource of the same server, which may be under a path of a proxy.
 * @param path relative to the address of the server.
 * @throws {MillraceError} invalid_url
 */
export function resourceUrl(url: string | URL, path: string): URL {
  const stream = httpUrl(streamUrl(url));
  const base = /^(.*\/)v1\/stream$/.exec(stream.pathname)?.[1] ?? '/';
  return new URL(base + path, stream);
}

/** Returns the same address for plain HTTP. */
export function httpUrl(stream: URL): URL {
  const url = new URL(stream);
  url.protocol = httpSchemes[url.protocol] ?? url.protocol;
  return url;
}

function withScheme(text: string): URL {
  const secure = parse(`wss://${text.replace(/^\/\//, '')}`, text);
  if (ownMachine.test(secure.hostname)) return parse(`ws://${text.replace(/^\/\//, '')}`, text);
  return secure;
}

function parse(url: string, given: string): URL {
  if (given === '') throw invalid(given, 'it is empty');
  // URL would encode spaces in the path as %20.
  if (/[\s\p{Cc}]/u.test(given)) throw invalid(given, 'it contains spaces');
  if (!URL.canParse(url)) {
    const [host = ''] = given.replace(/^[a-z]+:\/\//i, '').split('/');
    const bare = !host.includes('[') && host.split(':').length > 2 && !/[g-z]/i.test(host);
    throw invalid(given, bare ? 'an IPv6 address needs brackets: [::1]:8420' : 'the host or port is invalid');
  }
  return new URL(url);
}

function invalid(given: string, why: string): MillraceError {
  const message = `${JSON.stringify(given)} is not the address of a server (${why}); write it as http://localhost:8420`;
  return new MillraceError('invalid_url', { message });
}
