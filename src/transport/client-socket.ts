/** The WebSocket class for clients in a process of this software: Node 20 has none of its own. */
export { WebSocket as ClientSocket } from 'ws';
