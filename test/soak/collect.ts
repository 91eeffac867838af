import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Imported by the server under test: its heap is then what it holds on to, and not what waits for the collector.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setInterval(collect, 300).unref();
