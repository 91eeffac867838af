import { parentPort } from 'node:worker_threads';
import { providerStatuses, surroundings } from './devices/providers.js';

// Reports which providers work on this machine, and exits.
if (parentPort === null) throw new Error('this file runs in a worker thread');
parentPort.postMessage(await providerStatuses(surroundings()));
