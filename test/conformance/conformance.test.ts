import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { motionJpegFrames } from '../support/frames.js';
import { findPython, noPython } from '../support/python.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { suite } from './suite.js';

const python = await findPython();
Object.assign(process.env, python?.env);

const clients = [
  {
    name: '@millrace/client',
    program: [process.execPath, fileURLToPath(new URL('adapters/javascript.js', import.meta.url))],
    skip: false,
  },
  {
    name: 'millrace for Python',
    program: [python?.program ?? '', join(repositoryRoot, 'test/conformance/adapters/python.py')],
    skip: python === undefined && noPython,
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
