/** The WebSocket class for clients within this software: Node 20 has none built in. */
export { WebSocket as ClientSocket } from 'ws';
