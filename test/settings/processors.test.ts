import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { readProcessors, type Processors } from '../../src/settings/processors.js';

/** Returns what `readProcessors` finds in these files on a machine with 16 processors. */
async function processorsWith(files: Readonly<Record<string, string>>): Promise<Processors> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-cgroup-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), `${content}\n`);
    }
    return readProcessors(root, 16);
  } finally {
    await rm(root, { recursive: true });
  }
}

const unified = (top = '/'): Record<string, string> => ({
  'proc/self/mountinfo': `30 23 0:26 ${top} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate`,
});
const legacy = (top = '/'): Record<string, string> => ({
  'proc/self/mountinfo': [
    `31 25 0:27 ${top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct`,
    `32 25 0:28 ${top} /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset`,
    `33 25 0:29 ${top} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`,
  ].join('\n'),
});

describe('readProcessors', () => {
  it('returns all processors without a limit, and on systems without control groups', async () => {
    assert.deepEqual(await processorsWith({}), { available: 16, quota: null, usable: 16 });
    const none = { ...unified(), 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': 'max 100000' };
    assert.deepEqual(await processorsWith(none), { available: 16, quota: null, usable: 16 });
    const older = {
      ...legacy(),
      'proc/self/cgroup': '4:cpu,cpuacct:/\n3:cpuset:/\n0::/',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
    };
    assert.deepEqual(await processorsWith(older), { available: 16, quota: null, usable: 16 });
  });

  for (const [max, quota, usable] of [
    ['400000 100000', 4, 4],
    ['150000 100000', 1.5, 1],
    ['20000 100000', 0.2, 1],
    ['50000 20000', 2.5, 2],
    ['3200000 100000', 32, 16],
  ] as const) {
    it(`respects the quota of a container: ${max}`, async () => {
      const files = { ...unified(), 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': max };
      assert.deepEqual(await processorsWith(files), { available: 16, quota, usable });
    });
  }

  it('respects the limit of a parent group', async () => {
    const files = {
      ...unified(),
      'proc/self/cgroup': '0::/system.slice/millrace.service/worker',
      'sys/fs/cgroup/system.slice/cpu.max': '600000 100000',
      'sys/fs/cgroup/system.slice/millrace.service/cpu.max': '300000 100000',
      'sys/fs/cgroup/system.slice/millrace.service/worker/cpu.max': 'max 100000',
    };
    assert.deepEqual(await processorsWith(files), { available: 16, quota: 3, usable: 3 });
  });

  it('respects quotas and sets of version 1, which has a hierarchy for each', async () => {
    const files = {
      ...legacy(),
      'proc/self/cgroup': '5:memory:/other\n4:cpu,cpuacct:/a/b\n3:cpuset:/a',
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '700000',
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/cpuset/a/cpuset.cpus': '0-3,8,10-11',
    };
    assert.deepEqual(await processorsWith(files), { available: 16, quota: 7, usable: 7 });
    const fewer = { ...files, 'sys/fs/cgroup/cpuset/a/cpuset.cpus': '0-1,8' };
    assert.equal((await processorsWith(fewer)).usable, 3);
  });

  it('finds the limits of a container that sees its path outside the container', async () => {
    const files = {
      ...legacy('/docker/0123'),
      'proc/self/cgroup': '4:cpu,cpuacct:/docker/0123\n3:cpuset:/docker/0123',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
    };
    assert.equal((await processorsWith(files)).usable, 2);
    // A mount of another namespace: the path is not below its root.
    const elsewhere = {
      ...unified('/../../pod'),
      'proc/self/cgroup': '0::/kubepods/pod7/abc',
      'sys/fs/cgroup/cpu.max': '500000 100000',
    };
    assert.equal((await processorsWith(elsewhere)).usable, 5);
  });

  it('respects the set of processors of version 2', async () => {
    const files = {
      ...unified(),
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/cpuset.cpus.effective': '4-9',
      'sys/fs/cgroup/cpu.max': 'max 100000',
    };
    assert.deepEqual(await processorsWith(files), { available: 16, quota: null, usable: 6 });
  });
});
