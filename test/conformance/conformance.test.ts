import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { motionJpegFrames } from '../support/frames.js';
import { findPython, noPython } from '../support/python.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import type { Case } from './cases/types.js';
import { suite } from './suite.js';

const python = await findPython();
Object.assign(process.env, python?.env);

const clients = [
  {
    name: '@millrace/client',
    program: [process.execPath, fileURLToPath(new URL('adapters/javascript.js', import.meta.url))],
    skip: false,
    levels: ['must', 'should'],
  },
  {
    name: 'a client that does only what it must',
    program: [process.execPath, fileURLToPath(new URL('adapters/frugal.js', import.meta.url))],
    skip: false,
    levels: ['must'],
  },
  {
    name: 'millrace for Python',
    program: [python?.program ?? '', join(repositoryRoot, 'test/conformance/adapters/python.py')],
    skip: python === undefined && noPython,
    levels: ['must', 'should'],
  },
] as const satisfies readonly {
  readonly name: string;
  readonly program: readonly string[];
  readonly skip: string | false;
  readonly levels: readonly Case['level'][];
}[];

// All at once, each with its own server: they wait most of the time.
describe('conformance', { concurrency: true }, () => {
  for (const { name, program, skip, levels } of clients) {
    const wanted: ReadonlySet<Case['level']> = new Set(levels);
    describe(name, { skip, concurrency: 1 }, () => {
      let server: TestServer;
      before(async () => {
        // The suite needs only one slot: each case leaves it to the next.
        server = await startServer({ maxSessions: 1 });
        await server.app.ready();
      });
      after(() => server[Symbol.asyncDispose]());

      for (const conformanceCase of suite.filter(({ level }) => wanted.has(level))) {
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
});
