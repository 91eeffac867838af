import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Imported by the server under test: keeps garbage out of its measured heap.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setInterval(collect, 300).unref();
