import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MultipartViewer } from '../../src/transport/multipart-viewer.js';

/** A network that takes bytes when the test lets it. */
class SlowNetwork extends Writable {
  readonly taken: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  open = false;

  constructor() {
    super({ highWaterMark: 16 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    if (this.open) done();
    else this.#waiting.push(done);
  }

  /** Takes everything that waits. */
  async flush(): Promise<void> {
    this.open = true;
    for (const done of this.#waiting.splice(0)) done();
    await turn();
    this.open = false;
  }

  get text(): string {
    return Buffer.concat(this.taken).toString('latin1');
  }
}

function setUp() {
  const network = new SlowNetwork();
  const counts = { sent: 0, dropped: 0, bytes: 0 };
  const metrics = {
    viewerPicture(result: 'sent' | 'dropped', bytes: number) {
      counts[result] += 1;
      counts.bytes += bytes;
    },
  };
  const viewer = new MultipartViewer(network, { metrics });
  return { network, counts, viewer };
}

const picture = (name: string): Uint8Array => Buffer.from(`<${name}>`);

describe('a viewer of multipart pictures', () => {
  it('gets each picture as a part with its length, followed by a boundary', async () => {
    const { network, viewer, counts } = setUp();
    viewer.show(picture('first'));
    viewer.begin();
    await network.flush();
    viewer.show(picture('second'));
    await network.flush();
    viewer.end();
    await network.flush();
    const part = (name: string): string =>
      `Content-Type: image/jpeg\r\nContent-Length: ${name.length + 2}\r\n\r\n<${name}>\r\n--frame\r\n`;
    assert.equal(network.text, `--frame\r\n${part('first')}${part('second')}`);
    assert.deepEqual(counts, { sent: 2, dropped: 0, bytes: 15 });
  });

  it('gets the newest picture when the network has taken the last; nothing queues up', async () => {
    const { network, viewer, counts } = setUp();
    viewer.begin();
    await network.flush();
    for (let number = 0; number < 100; number++) viewer.show(picture(`picture ${number}`));
    const buffered = network.writableLength;
    assert.ok(buffered < 200, `${buffered} bytes wait`);
    await network.flush();
    await network.flush();
    assert.deepEqual(network.text.match(/<picture \d+>/g), ['<picture 0>', '<picture 99>']);
    assert.deepEqual([counts.sent, counts.dropped], [2, 98]);
  });

  it('counts a picture once that is repeated while it waits', () => {
    const { viewer, counts } = setUp();
    viewer.begin();
    const same = picture('same');
    viewer.show(picture('before'));
    for (let time = 0; time < 5; time++) viewer.show(same);
    assert.equal(counts.dropped, 0);
  });
});
