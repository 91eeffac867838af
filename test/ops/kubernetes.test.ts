import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../support/reference.js';
import { customResources } from './custom-resources.js';
import { assertKnownSettings } from './known-settings.js';
import { findProgram } from './programs.js';

/** The Kubernetes release whose schemas the manifests must follow. */
const release = '1.32';
const kubectl = findProgram('kubectl');
const kubernetes = join(repositoryRoot, 'ops/kubernetes');
const haproxyText = readFileSync(join(repositoryRoot, 'ops/haproxy/haproxy.cfg'), 'utf8');
const guide = readFileSync(join(repositoryRoot, 'ops/docs/fleet.md'), 'utf8');
const recording = readFileSync(join(repositoryRoot, 'ops/prometheus/millrace-recording.yml'), 'utf8');

/** As much of an object as the tests look at; schemas check the rest. */
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: Spec;
}
interface Spec {
  readonly clusterIP?: string;
  readonly publishNotReadyAddresses?: boolean;
  readonly replicas?: number;
  readonly maxReplicaCount: number;
  readonly jobLabel: string;
  readonly triggers: readonly { readonly metadata: Readonly<Record<string, string>> }[];
  readonly fallback?: object;
  readonly selector?: object;
  readonly template: PodTemplate;
  readonly fleetName?: string;
  readonly egress: readonly { readonly ports: readonly { readonly port: number | string }[] }[];
  readonly policy: { readonly buffer: { readonly maxReplicas: number } };
}
interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}
interface PodSpec {
  /** In a Fleet, where this is the specification of a GameServer. */
  readonly template?: PodTemplate;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly seccompProfile: { readonly type: string };
  };
  readonly volumes: readonly { readonly configMap?: { readonly name: string }; readonly hostPath?: object }[];
  readonly containers: readonly Container[];
}
interface Probe {
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Pick<Probe, 'periodSeconds'>;
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
  }[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: object;
  };
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-kubernetes-')));

/** Returns the objects of an overlay with components, as `kubectl apply -k` would send them. */
function render(overlay: string, components: readonly string[] = []): readonly Manifest[] {
  const path = (name: string): string => relative(folder, join(kubernetes, 'overlays', name));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [path(overlay)],
    components: components.map(path),
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync(kubectl.path, ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

const variants: Readonly<Record<string, () => readonly Manifest[]>> = {
  cpu: () => render('cpu'),
  nvidia: () => render('nvidia'),
  'nvidia with its model in the image': () => render('nvidia', ['model-in-image']),
  'nvidia with keda, monitoring and a store': () => render('nvidia', ['keda', 'monitoring', 'session-store']),
  'nvidia with a store, agones and monitoring': () =>
    render('nvidia', ['session-store', 'agones', 'monitoring']),
};

function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name.startsWith(name));
  assert.ok(found, `there is no ${kind} ${name}`);
  return found;
}

/** Returns the Deployment of the servers, or one with the pods of their Fleet. */
function serversOf(objects: readonly Manifest[]): Manifest {
  const fleet = objects.find(({ kind }) => kind === 'Fleet');
  const template = fleet?.spec.template.spec.template;
  if (!fleet || !template) return find(objects, 'Deployment', 'millrace');
  const spec = { selector: { matchLabels: template.metadata.labels }, template } as Spec;
  return { ...fleet, apiVersion: 'apps/v1', kind: 'Deployment', spec };
}

/** Returns the settings of the servers, by their variables. */
function settingsOf(objects: readonly Manifest[]): Readonly<Record<string, string>> {
  return find(objects, 'ConfigMap', 'millrace-').data;
}

// A script of the schemas' package: reads objects from standard input, refuses unknown fields.
const validate = `
import json, sys, kubernetes_validate
for manifest in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(manifest, '${release}', strict=True)
    except Exception as error:
        print(manifest['kind'], manifest['metadata']['name'], error)
`;
const python = process.env['PYTHON'] ?? 'python3';
const noSchemas =
  spawnSync(python, ['-c', 'import kubernetes_validate']).status === 0
    ? false
    : 'no Python with kubernetes-validate found; set PYTHON to one';

/** Returns what the schemas of Kubernetes say against these objects; empty if they are valid. */
function complaintsAbout(objects: readonly Manifest[]): string {
  const input = JSON.stringify(objects);
  const { stdout, stderr } = spawnSync(python, ['-c', validate], { encoding: 'utf8', input });
  return `${stdout}${stderr}`;
}

describe('ops/kubernetes', { skip: kubectl.skip }, () => {
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, objectsOf] of Object.entries(variants)) {
    it(`${name}: has no unknown field, according to the schemas of Kubernetes`, { skip: noSchemas }, () => {
      const objects = objectsOf();
      const own = objects.filter(({ apiVersion }) => !(apiVersion in customResources));
      assert.equal(complaintsAbout([...own, serversOf(objects)]), '');
      const { spec, ...deployment } = serversOf(objects);
      const misspelled = { ...deployment, spec: { ...spec, replica: 2 } };
      assert.match(complaintsAbout([misspelled]), /^Deployment millrace .*replica/);
    });

    it(`${name}: uses only existing settings, and the ports of HAProxy's configuration`, () => {
      const objects = objectsOf();
      const settings = settingsOf(objects);
      const { env, envFrom, ports } = serversOf(objects).spec.template.spec.containers[0];
      assert.equal(envFrom[0].configMapRef.name, find(objects, 'ConfigMap', 'millrace-').metadata.name);
      assertKnownSettings([...Object.keys(settings), ...env.map((entry) => entry.name)].join('\n'));
      assert.equal(settings['MILLRACE_AGENT_PORT'], /agent-port (\d+)/.exec(haproxyText)?.[1]);
      assert.ok(haproxyText.includes(`"\${MILLRACE_SERVICE}":${settings['MILLRACE_PORT']} `));
      assert.deepEqual(
        ports.map(({ containerPort }) => String(containerPort)),
        [settings['MILLRACE_PORT'], settings['MILLRACE_AGENT_PORT']],
      );
    });

    it(`${name}: gives a server the time to send its clients elsewhere`, () => {
      const objects = objectsOf();
      const { terminationGracePeriodSeconds: grace, containers } = serversOf(objects).spec.template.spec;
      const stop =
        Number(settingsOf(objects)['MILLRACE_DRAIN_SECONDS']) + containers[0].lifecycle.preStop.sleep.seconds;
      // Up to 30 seconds for the running call of the engine.
      assert.ok(grace >= stop + 30, `${grace} s`);
      const known = Number(/hold obsolete (\d+)s/.exec(haproxyText)?.[1]);
      assert.ok(known >= stop, 'HAProxy forgets it too early');
    });

    it(`${name}: restarts no server before HAProxy has given it up, and starts one as long as a model takes`, () => {
      const [server] = serversOf(objectsOf()).spec.template.spec.containers;
      const patience = (probe: Probe): number => probe.periodSeconds * probe.failureThreshold;
      const [, every, fall] = /check inter (\d+)ms fall (\d+)/.exec(haproxyText) ?? [];
      const checkSeconds = Number(/timeout check (\d+)s/.exec(haproxyText)?.[1]);
      const givenUp = Number(fall) * (Number(every) / 1000 + checkSeconds);
      assert.ok(patience(server.livenessProbe) > givenUp, `${givenUp} s`);
      assert.ok(patience(server.startupProbe) >= 600);
      // Before it stops, both have learned that it is not ready.
      const agentSeconds = Number(/agent-inter (\d+)ms/.exec(haproxyText)?.[1]) / 1000;
      const { seconds } = server.lifecycle.preStop.sleep;
      assert.ok(seconds >= Math.max(server.readinessProbe.periodSeconds, 2 * agentSeconds), `${seconds} s`);
    });

    it(`${name}: follows the restricted pod security standard`, () => {
      const objects = objectsOf();
      for (const { spec } of [serversOf(objects), find(objects, 'Deployment', 'haproxy')]) {
        const pod = spec.template.spec;
        assert.equal(pod.securityContext.runAsNonRoot, true);
        assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
        assert.ok(!pod.volumes.some((volume) => 'hostPath' in volume));
        for (const { securityContext } of pod.containers) {
          assert.equal(securityContext.allowPrivilegeEscalation, false);
          assert.equal(securityContext.readOnlyRootFilesystem, true);
          assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] });
        }
      }
    });

    it(`${name}: HAProxy finds the servers by the name of their Service, and reads the generated file`, () => {
      const objects = objectsOf();
      const haproxy = find(objects, 'Deployment', 'haproxy').spec.template.spec;
      const service = haproxy.containers[0].env.find((entry) => entry.name === 'MILLRACE_SERVICE');
      const headless = find(objects, 'Service', 'millrace-servers');
      assert.equal(headless.spec.clusterIP, 'None');
      assert.equal(service?.value, `${headless.metadata.name}.$(NAMESPACE).svc.cluster.local`);
      assert.equal(headless.spec.publishNotReadyAddresses, true);
      const configuration = haproxy.volumes.find((volume) => 'configMap' in volume);
      assert.equal(find(objects, 'ConfigMap', 'haproxy').metadata.name, configuration?.configMap?.name);
      assert.equal(find(objects, 'ConfigMap', 'haproxy').data['haproxy.cfg'], haproxyText);
    });
  }

  it('scales by a series that is recorded, to at most as many servers as HAProxy has places', () => {
    const objects = render('cpu', ['keda', 'monitoring']);
    const { spec } = find(objects, 'ScaledObject', 'millrace');
    const { query = '', ignoreNullValues } = spec.triggers[0].metadata;
    const [series = ''] = /^[\w:]+/.exec(query) ?? [];
    assert.ok(recording.includes(`record: ${series}\n`), series);
    assert.ok(spec.maxReplicaCount <= Number(/server-template node (\d+)/.exec(haproxyText)?.[1]));
    assert.equal(find(objects, 'Deployment', 'millrace').spec.replicas, undefined, 'KEDA sets it');
    assert.deepEqual([ignoreNullValues, spec.fallback], ['false', undefined], 'no answer is no number');
  });

  it('with Agones: keeps busy servers, scales by idle ones, and fills one server after another', () => {
    const objects = render('cpu', ['agones']);
    const fleet = find(objects, 'Fleet', 'millrace');
    const { eviction, counters } = fleet.spec.template.spec as { eviction?: object; counters?: object };
    assert.deepEqual(eviction, { safe: 'Never' });
    assert.deepEqual(Object.keys(counters ?? {}), ['sessions']);
    assert.equal(settingsOf(objects)['MILLRACE_AGONES'], 'true');
    const { spec } = find(objects, 'FleetAutoscaler', 'millrace');
    assert.equal(spec.fleetName, fleet.metadata.name);
    assert.equal(fleet.spec.replicas, undefined, 'each apply would undo what the autoscaler has set');
    assert.ok(spec.policy.buffer.maxReplicas <= Number(/server-template node (\d+)/.exec(haproxyText)?.[1]));
    const { env } = find(objects, 'Deployment', 'haproxy').spec.template.spec.containers[0];
    assert.ok(env.some(({ name }) => name === 'MILLRACE_PACKED'));
    // Two budgets for one pod would make evictions fail.
    assert.ok(!objects.some(({ kind }) => kind === 'PodDisruptionBudget'));
  });

  it('with a session store: gives the servers its address as a secret, and lets them reach it', () => {
    for (const components of [['session-store'], ['session-store', 'agones']]) {
      const objects = render('cpu', components);
      const { env } = serversOf(objects).spec.template.spec.containers[0];
      const store = env.find(({ name }) => name === 'MILLRACE_SESSION_STORE')?.valueFrom?.secretKeyRef;
      assert.equal(store?.name, 'millrace');
      assert.ok(guide.includes(`\`${store?.key}=rediss://`), store?.key);
      const ports = (rendered: readonly Manifest[]): readonly unknown[] =>
        find(rendered, 'NetworkPolicy', 'millrace').spec.egress.flatMap((rule) =>
          rule.ports.map(({ port }) => port),
        );
      assert.ok(ports(objects).includes(6379));
      assert.ok(!ports(render('cpu')).includes(6379));
    }
  });

  it('with the model in the image: has no volume of weights, and reads the model where the guide puts it', () => {
    const objects = render('nvidia', ['model-in-image']);
    assert.ok(JSON.stringify(render('nvidia')).includes('weights'));
    assert.deepEqual(JSON.stringify(objects).match(/millrace-weights|"mountPath":"\/weights"/g), null);
    const { MILLRACE_MODEL: model } = settingsOf(objects);
    assert.ok(model !== undefined && new RegExp(`^COPY .* ${model}$`, 'm').test(guide), model);
  });

  it('has custom resources without unknown fields', () => {
    const own = [...render('cpu', ['keda', 'monitoring']), ...render('cpu', ['agones'])].filter(
      ({ apiVersion }) => apiVersion in customResources,
    );
    assert.equal(own.length, 5);
    for (const object of own) {
      const check = new Ajv2020().compile(customResources[object.apiVersion] ?? false);
      assert.ok(check(object), JSON.stringify(check.errors));
    }
  });

  it('names the job of the metrics as alerts and dashboards do', () => {
    const monitor = find(render('cpu', ['monitoring']), 'PodMonitor', 'millrace');
    const pod = find(render('cpu'), 'Deployment', 'millrace').spec.template;
    assert.equal(pod.metadata.labels[monitor.spec.jobLabel], 'millrace');
  });
});
