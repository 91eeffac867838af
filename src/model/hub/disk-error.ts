import { PullError } from './pull-error.js';

/** Returns whether a write failed because the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error));
}

/**
 * Runs an action on the files of a cache, and turns system errors into advice.
 * @throws {PullError} if the disk is full or the folder cannot be written to; other errors unchanged.
 */
export async function explainDiskErrors<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const code = codeOf(cause);
    if (isDiskFull(cause)) {
      throw new PullError(
        `the disk of ${folder} is full (${code}); make room, or choose another disk with HF_HUB_CACHE`,
        { cause },
      );
    }
    if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
      throw new PullError(
        `the cache ${folder} cannot be written to (${code}); correct its owner and mode, or choose another with HF_HUB_CACHE`,
        { cause },
      );
    }
    throw cause;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
