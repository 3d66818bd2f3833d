import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, WatchLines } from '../support/api-client.js';

/** What one session of a watch was told: versions after `from`, in order. */
export interface Session {
  readonly from: number;
  readonly versions: number[];
}

/**
 * List, then watch from there, as every controller does: after an end it resumes behind what it saw last, after a 410
 * it lists anew. It keeps the state, and what it was told.
 */
export class Reflector {
  readonly state = new Map<string, string>();
  readonly sessions: Session[] = [];
  lists = 0;
  /** How often the history was gone. */
  expired = 0;
  bookmarks = 0;
  /** What must never happen, in words. */
  readonly wrong: string[] = [];
  readonly #api: ApiClient;
  readonly #path: string;
  #version = 0;
  #watch: WatchLines | null = null;
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(api: ApiClient, path: string) {
    this.#api = api;
    this.#path = path;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch?.stop();
    await this.#running;
  }

  /** As if the network had failed. */
  breakOff(): void {
    this.#watch?.stop();
  }

  get version(): number {
    return this.#version;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#version === 0) await this.#list();
        await this.#follow();
      } catch {
        // Nobody there, or not ready: as good as a broken watch.
        await sleep(50);
      }
    }
  }

  async #list(): Promise<void> {
    const { status, json } = await this.#api.call(`GET ${this.#path}`);
    if (status !== 200) throw new Error(`list: ${status}`);
    this.lists++;
    this.state.clear();
    for (const { metadata } of json.items) this.state.set(metadata.name, metadata.resourceVersion);
    this.#version = Number(json.metadata.resourceVersion);
    this.sessions.push({ from: this.#version, versions: [] });
  }

  async #follow(): Promise<void> {
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    const watch = await this.#api.watch(`${this.#path}?${query}`);
    this.#watch = watch;
    if (this.#stopped) watch.stop();
    if (watch.status === 410) return this.#forget();
    if (watch.status !== 200) {
      watch.stop();
      throw new Error(`watch: ${watch.status}`);
    }
    let taken = 0;
    const take = () => {
      for (; taken < watch.events.length; taken++) this.#take(watch.events[taken]);
    };
    while (watch.ended === null) {
      await watch.until(({ ended, events }) => ended !== null || events.length > taken, 120_000);
      take();
    }
    take();
  }

  #take({ type, object }: any): void {
    if (type === 'ERROR') {
      if (object.code !== 410) this.wrong.push(JSON.stringify(object));
      return this.#forget();
    }
    const version = Number(object.metadata.resourceVersion);
    if (type === 'BOOKMARK') {
      this.bookmarks++;
      if (version < this.#version) this.wrong.push(`bookmark ${version} behind ${this.#version}`);
      this.#version = version;
      return;
    }
    const { name } = object.metadata;
    if (version <= this.#version) this.wrong.push(`${type} ${name} of ${version} behind ${this.#version}`);
    const expected = type === 'DELETED' || type === 'MODIFIED';
    if (this.state.has(name) !== expected) this.wrong.push(`${type} ${name} of ${version}, known: ${!expected}`);
    if (type === 'DELETED') this.state.delete(name);
    else this.state.set(name, object.metadata.resourceVersion);
    this.sessions.at(-1)!.versions.push(version);
    this.#version = version;
  }

  #forget(): void {
    this.expired++;
    this.#version = 0;
  }
}
