import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type ParameterUpdate } from '@millrace/client';
import { WebSocket } from 'ws';
import { encodeJpeg } from '../../src/image/encode.js';
import { testImage } from '../support/engine.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const size = { width: 64, height: 64 };
const mixed: ParameterUpdate = {
  ...size,
  solver_schedule: ['DDIMScheduler', 'GHVBScheduler', 'UniPCMultistepScheduler'],
  strength: 0.8,
  steps: 3,
};

describe('a solver for each step, from a client', () => {
  it('follows a live change of the steps, and is refused by name where it does not fit', async () => {
    await using server = await startServer({ maxUpdatesPerSecond: 1000 });
    await server.app.ready();
    await using stream = await connect(server.url, { webSocket: WebSocket, parameters: mixed });
    assert.deepEqual(stream.parameters.solver_schedule, mixed.solver_schedule);
    for (const steps of [1, 2, 10, 5]) {
      const { parameters } = await stream.update({ steps });
      assert.deepEqual([parameters.steps, parameters.solver_schedule], [steps, mixed.solver_schedule]);
    }
    const list = 'solver_schedule must be a list of 1 to 50 items, each one of "LCMScheduler", ';
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [[], new RegExp(`^${list}.* or null, not \\[\\]`)],
      [['DDIM'], new RegExp(`^${list}.* not \\["DDIM"\\]`)],
      [[null], new RegExp(`^${list}`)],
      [[Number.NaN], new RegExp(`^${list}`)],
      ['DDIMScheduler', new RegExp(`^${list}.* not "DDIMScheduler"`)],
      [{ 0: 'DDIMScheduler' }, new RegExp(`^${list}`)],
      [Array(51).fill('DDIMScheduler'), new RegExp(`^${list}`)],
      [['DDIMScheduler', 'HeunDiscreteScheduler'], /must not mix HeunDiscreteScheduler .*9 calls .* 5 steps/],
      [['LCMScheduler', 'BDIAScheduler'], /BDIAScheduler in step 2: .* LCMScheduler adds noise/],
      [['DDIMScheduler', 'PeRFlowScheduler'], /must be one of .* not PeRFlowScheduler/],
    ];
    for (const [value, message] of wrong) {
      await assert.rejects(stream.update({ solver_schedule: value } as ParameterUpdate), {
        code: 'invalid_parameter',
        field: 'solver_schedule',
        message,
      });
    }
    await assert.rejects(
      stream.update({
        timestep_spacing: 'linspace',
        solver_schedule: ['DDIMScheduler', 'DPMSolverMultistepScheduler'],
      }),
      {
        field: 'solver_schedule',
        message: /must not mix DDIMScheduler and DPMSolverMultistepScheduler here: .*trailing/,
      },
    );
    assert.deepEqual(stream.parameters.solver_schedule, mixed.solver_schedule, 'what was in force stays');
    const { parameters } = await stream.update({ solver_schedule: null });
    assert.equal(parameters.solver_schedule, null);
  });

  it('is resumed with its session on another server, and may be changed there', async () => {
    const settings = { resumeKey: 'a key that both share', checkpointSeconds: 0.05, resumeSeconds: 600 };
    await using first = await startServer(settings);
    await using second = await startServer(settings);
    await Promise.all([first.app.ready(), second.app.ready()]);
    const picture = await encodeJpeg(testImage(0, size), 90);
    const client = await StreamClient.open(first.streamUrl, { ...mixed, denoise: 'stream' });
    assert.equal((await client.generate(0, picture)).type, 'result');
    client.socket.terminate();
    await client.closed;
    const token = client.all('checkpoint').at(-1)?.token ?? '';
    await using resumed = await StreamClient.greet(second.streamUrl, { resume: token });
    const [ready] = resumed.all('ready');
    assert.equal(ready?.resumed, true);
    assert.deepEqual(ready?.parameters.solver_schedule, mixed.solver_schedule);
    assert.equal((await resumed.generate(1, picture)).type, 'result');
    const other = ['GHVBScheduler', 'BDIAScheduler'] as const;
    resumed.send({ type: 'update', request: 1, parameters: { solver_schedule: other, steps: 4 } });
    assert.deepEqual((await resumed.first('updated')).parameters.solver_schedule, other);
    assert.equal((await resumed.generate(2, picture)).type, 'result');
  });
});
