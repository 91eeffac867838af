import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, posix } from 'node:path';

/** How much of the machine's processors this process may use. */
export interface Processors {
  /** Processors that the system lets it run on. */
  readonly available: number;
  /** CPU time that its control groups allow, in processors; null if there is no quota. */
  readonly quota: number | null;
  /** Threads that can run at full speed at the same time: at least 1. */
  readonly usable: number;
}

/**
 * Reads the limits of Linux control groups, version 1 or 2: those of this process and of all groups above it. Node 20
 * itself ignores quotas. A quota of 1.5 gives 1 thread: the rest is left for the other work of the server. Other
 * systems have no such groups.
 * @param root where /proc and /sys are, for tests.
 */
export function readProcessors(root = '/', available = availableParallelism()): Processors {
  const groups = read(join(root, 'proc/self/cgroup')).trim().split('\n');
  const mounts = read(join(root, 'proc/self/mountinfo')).trim().split('\n').flatMap(parseMount);
  const limits = mounts.flatMap((mount) =>
    foldersOf(mount, groups).map((folder) => limitsIn(join(root, folder))),
  );
  const quota = least(limits.map((limit) => limit.quota));
  const cpuset = least(limits.map((limit) => limit.cpuset));
  const whole = Math.min(available, cpuset ?? Infinity, Math.floor(quota ?? Infinity));
  return { available, quota, usable: Math.max(1, whole) };
}

/** Where a hierarchy of control groups is mounted. */
interface Mount {
  /** Group that the mount shows at its top. */
  readonly top: string;
  readonly folder: string;
  /** `null` is version 2, which has all controllers in one hierarchy. */
  readonly controllers: readonly string[] | null;
}

/** Parses a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
function parseMount(line: string): Mount[] {
  const [mount = '', filesystem = ''] = line.split(' - ');
  const [, , , top = '/', folder = ''] = mount.split(' ').map(unescape);
  const [type, , options = ''] = filesystem.split(' ');
  if (type === 'cgroup2') return [{ top, folder, controllers: null }];
  return type === 'cgroup' ? [{ top, folder, controllers: options.split(',') }] : [];
}

/** Decodes octal escapes, such as those of spaces. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Returns the folders of this process's group and of the groups above, as far as they are mounted. */
function foldersOf({ top, folder, controllers }: Mount, groups: readonly string[]): readonly string[] {
  const path = groups.flatMap((line) => {
    const [, names = '', group = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const own =
      controllers === null ? names === '' : names.split(',').every((name) => controllers.includes(name));
    return own ? [group] : [];
  })[0];
  if (path === undefined) return [];
  // A container may see its own group as the top of the mount, but its path from outside.
  const relative = posix.relative(top, path);
  const below = relative.startsWith('..') ? [] : relative.split('/').filter((name) => name !== '');
  return [folder, ...below.map((_, i) => posix.join(folder, ...below.slice(0, i + 1)))];
}

interface Limits {
  readonly quota: number | null;
  readonly cpuset: number | null;
}

function limitsIn(folder: string): Limits {
  const [max, period] = read(join(folder, 'cpu.max')).trim().split(' ');
  const older = [read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))];
  const sets = ['cpuset.cpus.effective', 'cpuset.effective_cpus', 'cpuset.cpus'];
  const cpus = sets.map((name) => read(join(folder, name)).trim()).find((text) => text !== '');
  return {
    quota: ratio(max, period) ?? ratio(older[0], older[1]),
    cpuset: cpus === undefined ? null : countCpus(cpus),
  };
}

/** @returns null if there is no quota: `max`, -1 or no file. */
function ratio(quota: string | undefined, period: string | undefined): number | null {
  const value = Number.parseInt(quota ?? '', 10) / Number.parseInt(period ?? '', 10);
  return Number.isFinite(value) && value > 0 ? value : null;
}

/** Counts the processors of a list such as 0-3,7. */
function countCpus(list: string): number | null {
  const count = list.split(',').reduce((sum, range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
  return Number.isInteger(count) && count > 0 ? count : null;
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.min(...known) : null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
