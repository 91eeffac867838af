import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { motionJpegFrames } from '../support/frames.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { suite } from './suite.js';

const python = process.env['PYTHON'] ?? 'python3';
const pythonSource = join(repositoryRoot, 'clients/python/src');
process.env['PYTHONPATH'] = pythonSource;

/** Why the Python package cannot be run here, if it cannot. */
async function pythonProblem(): Promise<string | false> {
  try {
    await promisify(execFile)(python, ['-c', 'import websockets, msgpack, millrace']);
    return false;
  } catch {
    return 'no Python with websockets and msgpack here; PYTHON names one';
  }
}

const clients = [
  {
    name: '@millrace/client',
    program: [process.execPath, fileURLToPath(new URL('adapters/javascript.js', import.meta.url))],
    skip: false,
  },
  {
    name: 'millrace for Python',
    program: [python, join(repositoryRoot, 'test/conformance/adapters/python.py')],
    skip: await pythonProblem(),
  },
] as const;

let server: TestServer;
before(async () => {
  server = await startServer();
  await server.app.ready();
});
after(() => server[Symbol.asyncDispose]());

for (const { name, program, skip } of clients) {
  describe(name, { skip }, () => {
    for (const conformanceCase of suite) {
      it(conformanceCase.name, async () => {
        await conformanceCase.run({
          server: server.url,
          program,
          parameters: { width: 64, height: 64 },
          images: motionJpegFrames('walkers.mjpeg'),
        });
      });
    }
  });
}
