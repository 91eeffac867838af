/** Returns the schema of an object with these fields and no others. */
function object(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const metadata = object(
  { name: text, namespace: text, labels: { type: 'object', additionalProperties: text } },
  ['name'],
);
/** Returns the schema of a custom resource. */
function resource(kind: string, spec: object): object {
  const fields = { apiVersion: text, kind: { const: kind }, metadata, spec };
  return object(fields, ['apiVersion', 'kind', 'metadata', 'spec']);
}

const labelSelector = object({ matchLabels: { type: 'object', additionalProperties: text } });
const rules = object({
  stabilizationWindowSeconds: count,
  selectPolicy: { enum: ['Max', 'Min', 'Disabled'] },
  policies: {
    type: 'array',
    items: object({ type: { enum: ['Pods', 'Percent'] }, value: count, periodSeconds: count }, [
      'type',
      'value',
      'periodSeconds',
    ]),
  },
});

// https://agones.dev/site/docs/reference/gameserver/; schemas of Kubernetes check the pods.
const gameServer = object(
  {
    container: text,
    health: object({
      disabled: { type: 'boolean' },
      initialDelaySeconds: count,
      periodSeconds: count,
      failureThreshold: { type: 'integer', minimum: 1 },
    }),
    counters: { type: 'object', additionalProperties: object({ count, capacity: count }) },
    eviction: object({ safe: { enum: ['Never', 'OnUpgrade', 'Always'] } }),
    template: object({ metadata: { type: 'object' }, spec: { type: 'object' } }, ['spec']),
  },
  ['template'],
);
// Agones allows neither 0 nor 0%.
const someServers = { type: 'integer', minimum: 1 };

/** The fields of custom resources, as their documentation names them, that the manifests may use; by API version. */
export const customResources: Readonly<Record<string, object>> = {
  // https://keda.sh/docs/2.17/reference/scaledobject-spec/ and .../scalers/prometheus/
  'keda.sh/v1alpha1': resource(
    'ScaledObject',
    object(
      {
        scaleTargetRef: object({ apiVersion: text, kind: text, name: text }, ['name']),
        pollingInterval: count,
        cooldownPeriod: count,
        minReplicaCount: count,
        maxReplicaCount: count,
        fallback: object({ failureThreshold: count, replicas: count }, ['failureThreshold', 'replicas']),
        advanced: object({
          restoreToOriginalReplicaCount: { type: 'boolean' },
          horizontalPodAutoscalerConfig: object({
            name: text,
            behavior: object({ scaleUp: rules, scaleDown: rules }),
          }),
        }),
        triggers: {
          type: 'array',
          minItems: 1,
          items: object(
            {
              type: { const: 'prometheus' },
              name: text,
              metricType: { enum: ['AverageValue', 'Value'] },
              // All values are texts.
              metadata: object(
                {
                  serverAddress: text,
                  query: text,
                  threshold: text,
                  activationThreshold: text,
                  ignoreNullValues: { enum: ['true', 'false'] },
                },
                ['serverAddress', 'query', 'threshold'],
              ),
              authenticationRef: object({ name: text, kind: text }, ['name']),
            },
            ['type', 'metadata'],
          ),
        },
      },
      ['scaleTargetRef', 'triggers'],
    ),
  ),
  // https://agones.dev/site/docs/reference/fleet/
  'agones.dev/v1': resource(
    'Fleet',
    object(
      {
        replicas: count,
        scheduling: { enum: ['Packed', 'Distributed'] },
        strategy: object({
          type: { enum: ['RollingUpdate', 'Recreate'] },
          rollingUpdate: object({ maxSurge: someServers, maxUnavailable: someServers }),
        }),
        template: object({ spec: gameServer }, ['spec']),
      },
      ['template'],
    ),
  ),
  // https://agones.dev/site/docs/reference/fleetautoscaler/
  'autoscaling.agones.dev/v1': resource(
    'FleetAutoscaler',
    object(
      {
        fleetName: text,
        policy: object(
          {
            type: { const: 'Buffer' },
            buffer: object({ bufferSize: someServers, minReplicas: count, maxReplicas: count }, [
              'bufferSize',
              'maxReplicas',
            ]),
          },
          ['type', 'buffer'],
        ),
        sync: object({ type: { const: 'FixedInterval' }, fixedInterval: object({ seconds: count }) }, [
          'type',
        ]),
      },
      ['fleetName', 'policy'],
    ),
  ),
  // https://prometheus-operator.dev/docs/api-reference/api/
  'monitoring.coreos.com/v1': resource(
    'PodMonitor',
    object(
      {
        jobLabel: text,
        selector: labelSelector,
        podMetricsEndpoints: {
          type: 'array',
          items: object({
            port: text,
            path: text,
            interval: { type: 'string', pattern: '^\\d+(ms|s|m|h)$' },
            authorization: object({ type: text, credentials: object({ name: text, key: text }, ['key']) }),
          }),
        },
      },
      ['selector', 'podMetricsEndpoints'],
    ),
  ),
};
