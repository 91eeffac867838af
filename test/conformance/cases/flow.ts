import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { subprotocol } from '@millrace/protocol';
import { Rig } from '../rig.js';
import type { Case } from './types.js';

const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

export const flowCases: readonly Case[] = [
  {
    name: 'sends hello with its parameters, and reports the fields of ready',
    level: 'must',
    section: 1,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect({ seed: 7 });
      assert.equal(connection.subprotocol, subprotocol);
      const [hello] = connection.fromClient('hello');
      assert.equal(hello?.parameters?.seed, 7);
      const [ready] = connection.fromServer('ready');
      const reported = await rig.client.first('ready');
      for (const field of ['session', 'server', 'model', 'parameters', 'limits'] as const) {
        assert.deepEqual(reported[field], ready?.[field], field);
      }
      await rig.finish();
    },
  },
  {
    name: 'reports why a stream is refused, with code and field',
    level: 'must',
    section: 1,
    async run(setup) {
      await using rig = await Rig.start(setup);
      rig.client.tell({ command: 'connect', url: rig.proxy.url, parameters: { steps: 0 } });
      const failed = await rig.client.first('failed');
      assert.deepEqual([failed['code'], failed['field']], ['invalid_parameter', 'steps']);
    },
  },
  {
    name: 'delivers frames in order, unchanged, with the id of their input',
    level: 'must',
    section: 5,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const ids: number[] = [];
      for (let count = 0; count < 4; count++) ids.push(await rig.generate());
      const results = connection.fromServer('result');
      const frames = rig.client.all('frame');
      assert.deepEqual(
        results.map(({ id }) => id),
        ids,
      );
      for (const [index, result] of results.entries()) {
        const frame = frames[index];
        for (const field of ['id', 'sequence', 'width', 'height', 'captured'] as const) {
          assert.equal(frame?.[field], result[field], field);
        }
        assert.equal(frame?.['sha256'], digest(result.data));
      }
      const sent = connection.fromClient('frame');
      assert.deepEqual(
        sent.map(({ data }) => digest(data)),
        setup.images.slice(0, 4).map(digest),
      );
      await rig.finish();
    },
  },
  {
    name: 'respects its credits: the newest frame wins, and each frame has a result or a drop',
    level: 'must',
    section: 5,
    async run(setup) {
      let cap = Infinity;
      await using rig = await Rig.start(setup, {
        toClient: (message) =>
          message.type === 'credit'
            ? { ...message, total: Math.min(cap, Number(message['total'])) }
            : message,
      });
      const connection = await rig.connect();
      const credits = connection.fromServer('ready')[0]?.credits ?? 0;
      cap = credits;
      const count = 24;
      for (let index = 0; index < count; index++) rig.send();
      await rig.client.first('sent', () => rig.client.all('sent').length === count);
      await rig.client.first('frame');
      await pause(200);
      assert.equal(connection.fromClient('frame').length, credits, 'frames without a credit were not sent');
      // The server has granted more long ago; now the client learns of it.
      cap = Infinity;
      connection.inject({ type: 'credit', total: credits + 1 });
      const newest = rig.client.all('sent').at(-1);
      await rig.client.first('frame', ({ id }) => id === newest?.['id']);
      const answered = [...rig.client.all('frame'), ...rig.client.all('dropped')].map(({ id }) => id);
      const sent = rig.client.all('sent').map(({ id }) => id);
      assert.deepEqual(new Set(answered), new Set(sent), 'each frame has a result or was dropped');
      assert.equal(answered.length, count, 'and only one of them');
      await rig.finish();
    },
  },
  {
    name: 'acknowledges only results that were shown, so that further ones wait for the consumer',
    level: 'must',
    section: 5,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      await rig.generate();
      rig.client.tell({ command: 'hold' });
      const window = connection.fromServer('ready')[0]?.limits.unacknowledged_results ?? 0;
      // A client may acknowledge several results at once, and late.
      const acknowledged = (): number => connection.fromClient('ack').at(-1)?.sequence ?? 0;
      while (connection.fromServer('result').length < acknowledged() + window) {
        rig.send();
        await pause(50);
      }
      // Anything that was sent wrongly has arrived by now.
      await pause(200);
      const shown = Number(rig.client.all('frame').at(-1)?.['sequence']);
      assert.ok(acknowledged() < shown, `${acknowledged()} were acknowledged while ${shown} was shown`);
      rig.client.tell({ command: 'release' });
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'reports a frame that is not an image, and continues',
    level: 'must',
    section: 5,
    async run(setup) {
      await using rig = await Rig.start(setup);
      await rig.connect();
      rig.send(new TextEncoder().encode('no image'));
      const { id } = await rig.client.first('sent');
      const dropped = await rig.client.first('dropped');
      const error = await rig.client.first('error');
      assert.deepEqual([dropped['id'], dropped['reason']], [id, 'invalid']);
      assert.deepEqual([error['code'], error['id']], ['invalid_frame', id]);
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'sends a mask with its frame alone',
    level: 'should',
    section: 3,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const [data, mask] = setup.images;
      assert.ok(data !== undefined && mask !== undefined, 'the setup has images');
      rig.send(data, {}, mask);
      const { id } = await rig.client.first('sent');
      await rig.client.first('frame', (event) => event['id'] === id);
      await rig.generate();
      const sent = connection.fromClient('frame').map((frame) => frame.mask && digest(frame.mask));
      // Absent and nil mean the same.
      assert.deepEqual([sent[0], sent[1] ?? undefined], [digest(mask), undefined]);
      await rig.finish();
    },
  },
  {
    name: 'sends pictures of controls with their frame alone, and reports a control that the model lacks',
    level: 'should',
    section: 3,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const [data, control] = setup.images;
      assert.ok(data !== undefined && control !== undefined, 'the setup has images');
      rig.send(data, { 'none-such': control });
      const { id } = await rig.client.first('sent');
      const dropped = await rig.client.first('dropped');
      const error = await rig.client.first('error');
      assert.deepEqual([dropped['id'], dropped['reason']], [id, 'invalid']);
      assert.deepEqual(
        [error['code'], error['field'], error['id']],
        ['invalid_frame', 'controls.none-such', id],
      );
      await rig.generate();
      const sent = connection.fromClient('frame').map(({ controls }) =>
        // Absent, nil and empty mean the same.
        Object.entries(controls ?? {}).map(([name, picture]) => [name, digest(picture)]),
      );
      assert.deepEqual(sent, [[['none-such', digest(control)]], []]);
      await rig.finish();
    },
  },
  {
    name: 'changes parameters, and reports refusals with their field',
    level: 'must',
    section: 11,
    async run(setup) {
      await using rig = await Rig.start(setup);
      await rig.connect();
      rig.client.tell({ command: 'update', tag: 'good', parameters: { seed: 99 } });
      rig.client.tell({ command: 'update', tag: 'bad', parameters: { steps: 0 } });
      const updated = await rig.client.first('updated', ({ tag }) => tag === 'good');
      assert.equal((updated['parameters'] as Record<string, unknown>)['seed'], 99);
      const refused = await rig.client.first('refused', ({ tag }) => tag === 'bad');
      assert.deepEqual([refused['code'], refused['field']], ['invalid_parameter', 'steps']);
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'sends a style image as binary, and reports that the model takes none',
    level: 'should',
    section: 11,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const [file] = setup.images;
      assert.ok(file !== undefined, 'the setup has images');
      const style_image = Buffer.from(file).toString('base64');
      rig.client.tell({ command: 'update', tag: 'style', parameters: { seed: 99 }, style_image });
      const answer = await rig.client.first('refused', ({ tag }) => tag === 'style');
      assert.deepEqual([answer['code'], answer['field']], ['invalid_parameter', 'style_image']);
      const [{ parameters } = {}] = connection.fromClient('update');
      assert.ok(parameters?.style_image instanceof Uint8Array, 'it is binary');
      assert.equal(digest(parameters.style_image), digest(file));
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'closes with 1000 or 1001',
    level: 'should',
    section: 14,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      await rig.generate();
      await rig.finish();
      assert.ok([1000, 1001].includes(await connection.closed()), 'the session ends with the connection');
      assert.equal((await rig.client.first('closed'))['code'], undefined);
    },
  },
];
