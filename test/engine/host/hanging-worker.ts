// A worker whose start is one call that never ends.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000);
