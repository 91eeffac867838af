import { mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { amount } from './amount.js';
import { download } from './download.js';
import { isGraph, weightsOf } from './graph-weights.js';
import { sizeOf, type HubCache } from './hub-cache.js';
import type { HubClient, HubFile } from './hub-client.js';
import { PullError } from './pull-error.js';

/** Receives the progress of a pull. */
export interface PullObserver {
  /** Reports in one line what the pull waits for, or does without. */
  onNote(text: string): void;
  /** Reports the bytes of the model that are there, while the file at `path` is downloaded. */
  onBytes(done: number, total: number, path: string): void;
  /** Reports a file that has arrived and whose checksum is right. */
  onFile(path: string, bytes: number): void;
}

/** All files of a repository, including those that are not needed. */
export interface Listing {
  readonly repo: string;
  readonly files: readonly HubFile[];
}

export interface FillOptions {
  readonly client: HubClient;
  readonly cache: HubCache;
  readonly commit: string;
  readonly listing: Listing;
  readonly observer: PullObserver;
}

/** Downloads the files that a snapshot needs and the cache lacks, and assembles the snapshot. */
export class SnapshotFill {
  readonly #options: FillOptions;
  readonly #files = new Set<HubFile>();
  /** The smallest first. */
  readonly #missing: HubFile[] = [];
  /** Bytes of all files, and of those that are there. */
  #total = 0;
  #done = 0;

  constructor(options: FillOptions) {
    this.#options = options;
  }

  /**
   * @param needed files; the weights that graphs among them name are added.
   * @throws {PullError} if one cannot be downloaded, or the disk has no room.
   */
  async run(needed: readonly HubFile[]): Promise<void> {
    await this.#require(needed);
    await this.#checkRoom();
    // Small files first: unreadable files show up before the weights are downloaded, and a graph names early the other
    // files with its weights.
    for (let file; (file = this.#missing.shift()) !== undefined;) {
      await this.#download(file);
      if (!isGraph(file)) continue;
      await this.#require(this.#weightsOf(file));
      await this.#checkRoom();
    }
    await this.#link();
  }

  /** Records files that are needed, once each, and which of them are missing. */
  async #require(files: readonly HubFile[]): Promise<void> {
    for (const file of files) {
      if (this.#files.has(file)) continue;
      this.#files.add(file);
      this.#total += file.size;
      if (await this.#options.cache.hasBlob(file)) {
        this.#done += file.size;
        if (isGraph(file)) await this.#require(this.#weightsOf(file));
      } else this.#missing.push(file);
    }
    this.#missing.sort((a, b) => a.size - b.size);
  }

  #weightsOf(graph: HubFile): readonly HubFile[] {
    const { cache, listing } = this.#options;
    return weightsOf(graph.path, cache.blob(graph), listing);
  }

  async #download(file: HubFile): Promise<void> {
    const { client, cache, commit, observer } = this.#options;
    const onBytes = (bytes: number): void => observer.onBytes(this.#done + bytes, this.#total, file.path);
    const target = cache.blob(file);
    await mkdir(dirname(target), { recursive: true });
    await download(client, { commit, file, target, onBytes });
    this.#done += file.size;
    observer.onFile(file.path, file.size);
  }

  /** @throws {PullError} if the files that are missing cannot fit on the disk. */
  async #checkRoom(): Promise<void> {
    const { cache } = this.#options;
    await mkdir(cache.folder, { recursive: true });
    let needed = 0;
    for (const file of this.#missing) {
      needed += file.size - ((await sizeOf(`${cache.blob(file)}.incomplete`)) ?? 0);
    }
    const { bavail, bsize } = await statfs(cache.folder);
    if (needed <= bavail * bsize) return;
    throw new PullError(
      `${amount(needed)} are still to be downloaded, but the disk of ${cache.folder} has room for only ` +
        `${amount(bavail * bsize)}; make room, or choose another disk with HF_HUB_CACHE`,
    );
  }

  /** Links all files into the snapshot; their contents must be in the cache. */
  async #link(): Promise<void> {
    const { cache, commit } = this.#options;
    // model_index.json marks a folder as a model and comes last: a snapshot that has it is complete.
    const isIndex = ({ path }: HubFile): boolean => path === 'model_index.json';
    for (const file of [...this.#files].toSorted((a, b) => Number(isIndex(a)) - Number(isIndex(b)))) {
      await cache.link(commit, file);
    }
  }
}
