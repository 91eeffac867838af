import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/reference.js';
import { assertKnownSettings } from './known-settings.js';
import { complaintsOf, findProgram } from './programs.js';

const folder = join(repositoryRoot, 'ops/docker');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const docker = findProgram('docker');
const promtool = findProgram('promtool', 'PROMTOOL');
/** Why Compose cannot be used: the plug-in or docker is missing. */
const skipCompose =
  docker.skip || (complaintsOf(docker, ['compose', 'version']) === null ? false : 'docker has no compose');

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** Returns the instructions of a Dockerfile, with continued lines joined. */
function instructions(file: string): readonly Instruction[] {
  return read(file)
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      return { name, value: rest.join(' ').trim() };
    });
}

for (const file of ['Dockerfile', 'Dockerfile.cuda']) {
  const all = instructions(file);
  const of = (name: string): readonly string[] =>
    all.filter((instruction) => instruction.name === name).map(({ value }) => value);
  const lastStage = all.slice(all.map(({ name }) => name).lastIndexOf('FROM'));
  const ofLast = (name: string): readonly string[] =>
    lastStage.filter((instruction) => instruction.name === name).map(({ value }) => value);

  describe(`ops/docker/${file}`, () => {
    it('builds in a separate stage, from images of known versions', () => {
      assert.ok(of('FROM').length >= 2);
      for (const image of of('FROM')) assert.match(image, /^\S+:\d+\.\d+\S*( AS \w+)?$/);
    });

    it('leaves out the compiler, the tests and development packages', () => {
      assert.ok(of('RUN').some((command) => command.includes('npm prune --omit=dev')));
      for (const copy of ofLast('COPY')) assert.match(copy, /^--from=\w+ /);
      assert.deepEqual(
        ofLast('RUN').filter((command) => /npm|apt/.test(command)),
        [],
      );
    });

    it('copies only files of the repository, and fetches nothing from elsewhere', () => {
      assert.deepEqual(of('ADD'), []);
      const sources = of('COPY')
        .filter((copy) => !copy.startsWith('--from'))
        .flatMap((copy) => copy.split(' ').slice(0, -1));
      for (const source of sources) assert.ok(existsSync(join(repositoryRoot, source)), source);
      // Files from the build stage are a part of the repository, or built from one.
      const built = of('COPY').flatMap((copy) => copy.match(/\/millrace\/\S+/g) ?? []);
      for (const path of built) {
        const [, source = ''] = path.split('/millrace/');
        assert.ok(existsSync(join(repositoryRoot, source)), source);
      }
    });

    it('runs as an unprivileged user, by number so that a cluster can check it', () => {
      assert.deepEqual(ofLast('USER'), ['1000:1000']);
      const after = lastStage.slice(lastStage.findIndex(({ name }) => name === 'USER'));
      assert.deepEqual(
        after.filter(({ name }) => name === 'RUN' || name === 'COPY'),
        [],
      );
    });

    it('has a health check, and starts the server without a shell, which would swallow signals', () => {
      const [check = ''] = ofLast('HEALTHCHECK');
      for (const command of [check.replace(/^.*? CMD /, ''), ...ofLast('ENTRYPOINT'), ...ofLast('CMD')]) {
        assert.ok(Array.isArray(JSON.parse(command)), command);
      }
      assert.match(check, /\/healthz/);
    });

    it('contains no secret, and sets only existing settings', () => {
      assert.doesNotMatch([...of('ENV'), ...of('ARG')].join('\n'), /SECRET|TOKEN|KEY|PASSWORD/i);
      assertKnownSettings(read(file));
    });
  });
}

describe('ops/docker/compose.yml', () => {
  const compose = parse(read('compose.yml')) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly secrets: object;
    readonly volumes: object;
  };
  interface Service {
    readonly image: string;
    readonly ports: readonly string[];
    readonly volumes: readonly string[];
    readonly secrets?: readonly string[];
    readonly read_only: boolean;
    readonly cap_drop: readonly string[];
    readonly security_opt: readonly string[];
  }

  it('has the server, Prometheus and Grafana, each with minimal rights', () => {
    assert.deepEqual(Object.keys(compose.services), ['millrace', 'prometheus', 'grafana']);
    for (const [name, service] of Object.entries(compose.services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:/, name);
      if (name !== 'millrace') assert.match(service.image, /:v?\d+\.\d+\.\d+$/);
    }
  });

  it('mounts only existing files and volumes', () => {
    for (const { volumes, secrets = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const known = source.startsWith('.')
          ? existsSync(join(folder, source)) && volume.endsWith(':ro')
          : source in compose.volumes;
        assert.ok(known, volume);
      }
      for (const secret of secrets) assert.ok(secret in compose.secrets, secret);
    }
    const rules = join(folder, dirname('../prometheus/millrace-alerts.yml'));
    assert.ok(existsSync(join(rules, 'millrace-alerts.yml')));
  });

  it('takes its secrets from documented files and variables outside the repository', () => {
    const wanted = [...read('compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    const explained = [...read('.env.example').matchAll(/^(\w+)=$/gm)].map(([, name = '']) => name);
    assert.deepEqual([...new Set(wanted)].sort(), explained.sort());
    const ignored = readFileSync(join(repositoryRoot, '.gitignore'), 'utf8').split('\n');
    for (const file of ['ops/docker/.env', 'ops/docker/api-keys.json'])
      assert.ok(ignored.includes(file), file);
  });

  it('sets only existing settings', () => {
    assertKnownSettings(read('compose.yml'));
  });

  it('is valid according to docker compose', { skip: skipCompose }, () => {
    const files = ['-f', 'compose.yml', '-f', 'compose.cuda.yml', '--env-file', '.env.example'];
    const complaints = complaintsOf(docker, ['compose', ...files, 'config', '--no-interpolate', '-q'], {
      cwd: folder,
    });
    assert.equal(complaints, null);
  });

  it('has a Prometheus configuration that is valid according to promtool', { skip: promtool.skip }, () => {
    const file = join(folder, 'prometheus.yml');
    assert.equal(complaintsOf(promtool, ['check', 'config', '--syntax-only', file]), null);
  });

  it('uses the CUDA image and the GPU for CUDA', () => {
    const { services } = parse(read('compose.cuda.yml')) as { services: { millrace: object } };
    assert.match(JSON.stringify(services.millrace), /Dockerfile\.cuda.*"capabilities":\["gpu"\]/);
  });
});
