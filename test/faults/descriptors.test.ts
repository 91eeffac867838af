import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { motionJpegFrames } from '../support/frames.js';
import { tinyModel } from '../support/engine.js';
import { repositoryRoot } from '../support/reference.js';
import { ready } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const descriptors = 256;

describe(
  'a server with a low limit of open files',
  { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8' },
  () => {
    let child: ChildProcess;
    let url: string;
    const silent: Socket[] = [];

    before(async () => {
      const main = join(repositoryRoot, 'dist/src/cli/main.js');
      const flags = `--port 0 --threads 1 --slo-fps 0 --cache-directory "" --log-format json --model "${tinyModel}"`;
      const line = `ulimit -n ${descriptors}; exec "${process.execPath}" "${main}" serve ${flags}`;
      child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
      url = await ready(child);
    });
    after(async () => {
      for (const socket of silent) socket.destroy();
      child.kill('SIGTERM');
      await once(child, 'exit');
    });

    /** Opens `count` connections that send nothing. */
    async function crowd(localAddress: string, count: number): Promise<void> {
      const { port } = new URL(url);
      const opened = Array.from({ length: count }, async () => {
        const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
        silent.push(socket);
        socket.on('error', () => {});
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      });
      await Promise.all(opened);
    }

    const healthy = (localAddress: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request(`${url}/healthz`, { localAddress, agent: false }, (response) => {
          resolve(response.resume().statusCode);
        });
        sent.on('error', reject).end();
      });

    async function served(localAddress: string): Promise<void> {
      const stream = `${url.replace('http', 'ws')}/v1/stream`;
      await using client = await StreamClient.connect(stream, { localAddress });
      client.send({ type: 'hello', parameters: { width: 64, height: 64 } });
      await client.first('ready');
      assert.equal((await client.generate(0, picture)).type, 'result');
      assert.equal(await healthy(localAddress), 200);
      const open = readdirSync(`/proc/${child.pid}/fd`).length;
      assert.ok(open < descriptors - 32, `${open} descriptors are in use`);
      assert.equal(child.exitCode, null);
    }

    it('serves others while one address opens a thousand silent connections', async () => {
      for (let i = 0; i < 10; i++) await crowd('127.0.0.1', 100);
      await served('127.0.0.2');
    });

    it('serves others while many addresses hold as many connections as allowed', async () => {
      for (let i = 10; i < 30; i++) await crowd(`127.0.0.${i}`, 64);
      await served('127.0.0.3');
    });
  },
);
