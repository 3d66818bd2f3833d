import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';

/** When a log file is set aside, and what becomes of those that were. */
export interface Rotation {
  readonly maxBytes: number;
  /** 0: no limit */
  readonly maxAgeMs: number;
  /** 0: no limit */
  readonly maxBackups: number;
  /** Names carry the machine's time, not UTC. */
  readonly localTime: boolean;
  /** gzip, behind the writer's back */
  readonly compress: boolean;
}

/**
 * A log file that is set aside when it is full, under the names that etcd's are: `<name>-2026-01-02T15-04-05.000<.ext>`,
 * with `.gz` behind it when compressed. Lines are never split.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #wall: () => number;
  #fd: number;
  #bytes: number;
  #compressing = false;

  /** @throws what opening the file says */
  constructor(path: string, rotation: Rotation, wall: () => number = Date.now) {
    this.#path = path;
    this.#rotation = rotation;
    this.#wall = wall;
    mkdirSync(dirname(path), { recursive: true });
    this.#fd = openSync(path, 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
    this.#clean();
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#rotation.maxBytes) this.#tryRotate();
    writeSync(this.#fd, line);
    this.#bytes += bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A folder that lets nothing be renamed or made must not cost lines: they go on into the file that is open. */
  #tryRotate(): void {
    try {
      this.#rotate();
    } catch {
      this.#bytes = 0;
    }
  }

  #rotate(): void {
    renameSync(this.#path, this.#backupPath());
    const fd = openSync(this.#path, 'a', 0o600);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#bytes = fstatSync(fd).size;
    this.#clean();
  }

  /** Two in one millisecond do not take the same name. */
  #backupPath(): string {
    const taken = new Set(this.#backups().map(({ time }) => time));
    for (let ms = Math.floor(this.#wall()); ; ms++) {
      const time = stamp(ms, this.#rotation.localTime);
      if (!taken.has(time)) return join(dirname(this.#path), `${this.#stem()}-${time}${extname(this.#path)}`);
    }
  }

  #stem(): string {
    return basename(this.#path, extname(this.#path));
  }

  /** Newest first. */
  #backups(): { readonly path: string; readonly time: string; readonly ms: number }[] {
    const prefix = `${this.#stem()}-`;
    const ext = extname(this.#path);
    const found = [];
    for (const name of readdirSync(dirname(this.#path))) {
      const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
      if (!plain.startsWith(prefix) || !plain.endsWith(ext)) continue;
      const time = plain.slice(prefix.length, plain.length - ext.length);
      const ms = unstamp(time, this.#rotation.localTime);
      if (ms !== null) found.push({ path: join(dirname(this.#path), name), time, ms });
    }
    return found.sort((a, b) => (a.time < b.time ? 1 : -1));
  }

  #clean(): void {
    const { maxBackups, maxAgeMs, compress } = this.#rotation;
    const oldest = maxAgeMs === 0 ? 0 : this.#wall() - maxAgeMs;
    const kept = this.#backups().filter(({ path, ms }, i) => {
      const stays = (maxBackups === 0 || i < maxBackups) && ms >= oldest;
      if (!stays) rmSync(path, { force: true });
      return stays;
    });
    const plain = kept.find(({ path }) => !path.endsWith('.gz'));
    if (compress && plain !== undefined && !this.#compressing) this.#compress(plain.path);
  }

  #compress(path: string): void {
    this.#compressing = true;
    const part = `${path}.gz.part`;
    pipeline(createReadStream(path), createGzip(), createWriteStream(part, { mode: 0o600 }), (err) => {
      this.#compressing = false;
      try {
        if (err) return rmSync(part, { force: true });
        renameSync(part, `${path}.gz`);
        rmSync(path, { force: true });
        this.#clean();
      } catch {
        // The folder is gone, or it is full: it is tried again at the next rotation.
      }
    });
  }
}

function stamp(ms: number, local: boolean): string {
  const date = new Date(local ? ms - new Date(ms).getTimezoneOffset() * 60_000 : ms);
  return date.toISOString().replace('Z', '').replaceAll(':', '-');
}

function unstamp(text: string, local: boolean): number | null {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}${local ? '' : 'Z'}`);
  return Number.isNaN(ms) ? null : ms;
}
