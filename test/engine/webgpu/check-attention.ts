import process from 'node:process';
import { parseDevice } from '../../../src/engine/device.js';
import { attentionFault } from '../../../src/engine/worker/devices/fused-attention.js';

// Prints what speaks against running each of some graphs on a device, as JSON: check-attention.js DEVICE FILE...
const [, , device = '', ...files] = process.argv;
const faults: (string | null)[] = [];
for (const file of files) faults.push(await attentionFault(file, parseDevice(device)));
console.log(JSON.stringify(faults));
