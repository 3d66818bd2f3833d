import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The store a test runs against: our own build, or a real etcd named by the environment. */
export type StoreKind = 'keel' | 'etcd';

/** The root of the repository: the folder that holds package.json, also when this file runs compiled. */
export const REPO_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) return dir;
    if (dirname(dir) === dir) throw new Error(`no package.json above ${from}`);
  }
}

/** @returns the first executable of this name on PATH, or undefined */
export function onPath(name: string): string | undefined {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    if (dir !== '' && existsSync(join(dir, name))) return join(dir, name);
  }
  return undefined;
}

/** The real etcd: KEEL_TEST_ETCD_BIN, else PATH. Undefined where the machine has none. */
export function etcdBinary(): string | undefined {
  return process.env.KEEL_TEST_ETCD_BIN || onPath('etcd');
}

/** The real etcdctl: KEEL_TEST_ETCDCTL_BIN, else beside the named etcd, else PATH. */
export function etcdctlBinary(): string | undefined {
  const named = process.env.KEEL_TEST_ETCDCTL_BIN;
  if (named) return named;
  const etcd = process.env.KEEL_TEST_ETCD_BIN;
  if (etcd && existsSync(join(dirname(etcd), 'etcdctl'))) return join(dirname(etcd), 'etcdctl');
  return onPath('etcdctl');
}

/** The real etcdutl: beside the named etcd, else PATH. */
export function etcdutlBinary(): string | undefined {
  const etcd = process.env.KEEL_TEST_ETCD_BIN;
  if (etcd && existsSync(join(dirname(etcd), 'etcdutl'))) return join(dirname(etcd), 'etcdutl');
  return onPath('etcdutl');
}

/** Our own server program, as `npm run build` leaves it; KEEL_TEST_PROGRAM names another build. */
export const KEEL_PROGRAM = process.env.KEEL_TEST_PROGRAM || join(REPO_ROOT, 'dist', 'cli', 'keel.js');

/** Our own server program is built (`npm run build`). */
export function keelBuilt(): boolean {
  return existsSync(KEEL_PROGRAM);
}

/** The kind that the environment asks for (KEEL_E2E_KIND), by default our own. */
export function kindUnderTest(): StoreKind {
  const kind = process.env.KEEL_E2E_KIND ?? 'keel';
  if (kind !== 'keel' && kind !== 'etcd') throw new Error(`KEEL_E2E_KIND is ${kind}: keel or etcd is meant`);
  return kind;
}

/** Why a store of this kind cannot be started here, or undefined if it can. */
export function missing(kind: StoreKind): string | undefined {
  if (kind === 'keel') return keelBuilt() ? undefined : `${KEEL_PROGRAM} is not built`;
  return etcdBinary() ? undefined : 'no etcd: set KEEL_TEST_ETCD_BIN or put etcd on PATH';
}

/** Says on the terminal, once a file, what was left out and why. */
export function sayIfMissing(what: string, kind: StoreKind): boolean {
  const reason = missing(kind);
  if (reason) console.warn(`SKIPPED ${what}: ${reason}`);
  return reason !== undefined;
}
