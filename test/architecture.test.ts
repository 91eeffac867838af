import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The folders of src/ that each folder may import besides itself: transport -> session -> engine -> diffusion, and
 * leaves that import none. A folder that is not listed (cli) and the files next to the folders may import everything.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  transport: ['session', 'engine', 'image', 'metrics', 'text'],
  session: ['engine', 'diffusion', 'image', 'metrics', 'text'],
  engine: ['diffusion', 'model', 'image'],
  video: ['image'],
  image: [],
  metrics: [],
  settings: ['text'],
  model: ['text'],
  text: [],
  diffusion: [],
};

/**
 * The subfolders of src/session that each subfolder may import besides itself: connections on top of what survives
 * them. The file next to the subfolders (single images) may import everything.
 */
const sessionMayImport: Readonly<Record<string, readonly string[]>> = {
  connection: ['live', 'frames', 'admission', 'access', 'wire', 'time'],
  live: ['frames', 'admission', 'access', 'wire', 'time'],
  frames: ['wire', 'time'],
  admission: ['wire', 'time'],
  access: ['wire', 'time'],
  wire: ['time'],
  time: [],
};

/**
 * The subfolders ("rooms") of a folder, from the top layer down, with the rooms below that each may import besides
 * itself. The files next to the rooms may import everything, and no room may import them. If `''` is listed, these
 * files count as a room like the others.
 */
const rooms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  session: sessionMayImport,
  // Streams and batches know solvers by their interface alone.
  diffusion: { solvers: [''], '': [] },
  // How equations become steps, and which times they step through; the solvers are next to these rooms.
  'diffusion/solvers': { linear: ['paths'], paths: [] },
  // The main thread and the worker thread; the files next to them are shared by both.
  engine: { host: [''], worker: [''], '': [] },
  'engine/worker': {
    streams: ['conditioning', 'planning', 'networks'],
    conditioning: ['planning', 'networks'],
    calibration: ['planning', 'networks'],
    planning: ['networks'],
    networks: ['devices'],
    devices: [],
  },
};

/** Packages that only one folder may import. */
const soleImporters: Readonly<Record<string, string>> = {
  ws: 'transport',
  '@redis/client': 'session',
  fastify: 'transport',
  'onnxruntime-node': 'engine/worker',
  'prom-client': 'metrics',
  '@opentelemetry/api': 'metrics',
  '@opentelemetry/sdk-trace-base': 'metrics',
  sharp: 'image',
  '@julusian/jpeg-turbo': 'image',
};

const MAX_LINES = 300;

interface SourceFile {
  /** Relative to src/, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Paths relative to src/ for own files, the specifier for packages. */
  readonly imports: readonly string[];
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const source = join(repository, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map(readSource);

function readSource(file: string): SourceFile {
  const path = file.split(sep).join('/');
  const text = readFileSync(join(source, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s(?:[\w*{},\s]+\sfrom\s)?\s*'([^']+)'/gm);
  const dynamic = text.matchAll(/\bimport\(\s*'([^']+)'/g);
  const imports = [...statements, ...dynamic].map(([, specifier = '']) =>
    specifier.startsWith('.')
      ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
      : specifier,
  );
  return { path, text, imports };
}

const isOwn = (specifier: string): boolean => files.some(({ path }) => path === specifier);
const folderOf = (path: string): string => (path.includes('/') ? (path.split('/')[0] ?? '') : '');
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

describe('architecture', () => {
  it('resolves all imports', () => {
    assert.ok(files.length > 20);
    for (const { path, imports } of files) {
      for (const specifier of imports) {
        const relative = specifier.endsWith('.ts');
        if (relative) assert.ok(isOwn(specifier), `${path} imports ${specifier}, which does not exist`);
      }
    }
  });

  it('imports in one direction', () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const allowed = mayImport[folderOf(path)];
      return (
        imports
          .filter(isOwn)
          // Every file may import the path and version of the package.
          .filter((specifier) => specifier !== 'package.ts')
          .filter((specifier) => allowed && ![folderOf(path), ...allowed].includes(folderOf(specifier)))
          .map((specifier) => `${path} -> ${specifier}`)
      );
    });
    assert.deepEqual(wrong, []);
  });

  for (const [folder, mayImportOf] of Object.entries(rooms)) {
    const isInside = (path: string): boolean => path.startsWith(`${folder}/`);
    const roomOf = (path: string): string => {
      const [room = '', file] = path.slice(folder.length + 1).split('/');
      return file === undefined ? '' : room;
    };
    const names = Object.keys(mayImportOf);

    it(`imports in one direction inside ${folder}`, () => {
      const wrong = files
        .filter(({ path }) => isInside(path))
        .flatMap(({ path, imports }) => {
          const room = roomOf(path);
          if (room === '' && !names.includes(room)) return [];
          const allowed = new Set([room, ...(mayImportOf[room] ?? [])]);
          return imports
            .filter((specifier) => isInside(specifier) && !allowed.has(roomOf(specifier)))
            .map((specifier) => `${path} -> ${specifier}`);
        });
      assert.deepEqual(wrong, []);
    });

    it(`lists exactly the rooms of ${folder}, from the top down`, () => {
      for (const [i, name] of names.entries()) {
        for (const below of mayImportOf[name] ?? []) {
          assert.ok(
            names.indexOf(below) > i,
            `${name} may import ${below || 'the files'}, which is not below it`,
          );
        }
      }
      const present = new Set(files.flatMap(({ path }) => (isInside(path) ? [roomOf(path)] : [])));
      assert.deepEqual(new Set([...names, '']), new Set([...present, '']));
    });
  }

  it('imports the engine worker only from within itself', () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('engine/worker/') && !path.startsWith('engine/worker/'))
        .map((specifier) => `${path} -> ${specifier}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('has one importer for each library that reaches outside', () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => {
          const importer = soleImporters[packageOf(specifier)];
          return importer !== undefined && !path.startsWith(`${importer}/`);
        })
        .map((specifier) => `${path} -> ${specifier}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('keeps diffusion pure: it imports only itself', () => {
    const wrong = files
      .filter(({ path }) => folderOf(path) === 'diffusion')
      .flatMap(({ path, imports }) =>
        imports
          .filter((specifier) => folderOf(specifier) !== 'diffusion')
          .map((specifier) => `${path} -> ${specifier}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('has no import cycle, not even of types', () => {
    const importsOf = new Map(files.map(({ path, imports }) => [path, imports.filter(isOwn)]));
    const clean = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      const seenAt = trail.indexOf(path);
      assert.ok(seenAt < 0, `cycle: ${[...trail.slice(seenAt), path].join(' -> ')}`);
      if (clean.has(path)) return;
      for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
      clean.add(path);
    };
    for (const { path } of files) visit(path, []);
  });

  it(`has no file over ${MAX_LINES} lines and no default export`, () => {
    const long = files.filter(({ text }) => text.split('\n').length > MAX_LINES + 1);
    assert.deepEqual(
      long.map(({ path }) => path),
      [],
    );
    const defaults = files.filter(({ text }) => /^export default\b/m.test(text));
    assert.deepEqual(
      defaults.map(({ path }) => path),
      [],
    );
  });

  it('has doc comments directly above what they describe', () => {
    const places = ['src', 'protocol/src', 'clients/js/src', 'clients/web/src', 'test'];
    const texts = places.flatMap((place) => {
      const folder = join(repository, place);
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.tsx?$/.test(path))
        .map((path) => [`${place}/${path}`, readFileSync(join(folder, path), 'utf8')] as const);
    });
    assert.ok(texts.length > files.length);
    // A comment before a blank line, another comment, the end of a block or an import describes nothing.
    const orphan = /\/\*\*(?:(?!\*\/)[^])*\*\/\s*?\n(?=\s*\n|\s*\/[*/]|\s*[}\])]|import\b)/g;
    const wrong = texts.flatMap(([path, text]) =>
      [...text.matchAll(orphan)].map(({ index }) => `${path}:${text.slice(0, index).split('\n').length}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('has rules for every folder of src', () => {
    const folders = new Set(files.map(({ path }) => folderOf(path)).filter((folder) => folder !== ''));
    folders.delete('cli');
    for (const folder of folders) assert.ok(folder in mayImport, `${folder} has no rules`);
  });
});
