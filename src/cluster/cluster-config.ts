import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A configuration that cannot be used: one line with the file, the place in it and the reason. */
export class ClusterConfigError extends Error {
  override readonly name = 'ClusterConfigError';
  readonly code = 'ERR_CLUSTER_CONFIG';
}

export interface ClusterMember {
  readonly name: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
  /** Flags of `keel server` beside those that follow from the rest. */
  readonly flags: Readonly<Record<string, string>>;
}

export interface ClusterConfig {
  /** Absolute. */
  readonly file: string;
  /** Absolute; holds the members' folders and what `keel cluster` keeps about a running cluster. */
  readonly dataDir: string;
  readonly members: readonly ClusterMember[];
}

/** Flags that follow from the rest of the file; in `flags` they could only contradict it. */
const DERIVED = [
  'name',
  'data-dir',
  'listen-client-urls',
  'advertise-client-urls',
  'listen-peer-urls',
  'initial-advertise-peer-urls',
  'initial-cluster',
  'initial-cluster-state',
];

/**
 * Reads cluster.config.json. `knownFlags` are the names that `flags` may have.
 * @throws ClusterConfigError
 */
export function loadClusterConfig(path: string, knownFlags: ReadonlySet<string>): ClusterConfig {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (err) {
    throw new ClusterConfigError(`${path}: ${(err as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (err) {
    throw new ClusterConfigError(`${path}: not JSON: ${(err as Error).message}`);
  }
  return parseClusterConfig(json, file, path, knownFlags);
}

export function parseClusterConfig(
  json: unknown,
  file: string,
  shown: string,
  knownFlags: ReadonlySet<string>,
): ClusterConfig {
  const bad = (where: string, why: string): ClusterConfigError => new ClusterConfigError(`${shown}: ${where}: ${why}`);
  const root = objectAt(json, 'the file', bad);
  onlyKeys(root, ['dataDir', 'members', 'flags'], '', bad);
  const dataDir = resolve(dirname(file), stringAt(root.dataDir ?? 'data', 'dataDir', bad));
  const common = flagsAt(root.flags ?? {}, 'flags', knownFlags, bad);
  if (!Array.isArray(root.members)) throw bad('members', 'must be a list');
  if (root.members.length === 0) throw bad('members', 'must name at least one member');
  const names = new Set<string>();
  const urls = new Map<string, string>();
  const members = root.members.map((item: unknown, i) => {
    const at = `members[${i}]`;
    const fields = objectAt(item, at, bad);
    onlyKeys(fields, ['name', 'listenClientUrls', 'listenPeerUrls', 'dataDir', 'flags'], `${at}.`, bad);
    const name = stringAt(fields.name, `${at}.name`, bad);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      throw bad(`${at}.name`, `"${name}" must be letters, digits, ".", "_" and "-"`);
    }
    if (names.has(name)) throw bad(`${at}.name`, `"${name}" is there twice`);
    names.add(name);
    const clientUrls = urlsAt(fields.listenClientUrls, `${at}.listenClientUrls`, bad);
    const peerUrls = urlsAt(fields.listenPeerUrls, `${at}.listenPeerUrls`, bad);
    for (const url of [...clientUrls, ...peerUrls]) {
      const other = urls.get(url);
      if (other !== undefined) throw bad(at, `${url} is also in ${other}`);
      urls.set(url, at);
    }
    return {
      name,
      dataDir:
        fields.dataDir === undefined
          ? resolve(dataDir, name)
          : resolve(dirname(file), stringAt(fields.dataDir, `${at}.dataDir`, bad)),
      clientUrls,
      peerUrls,
      flags: { ...common, ...flagsAt(fields.flags ?? {}, `${at}.flags`, knownFlags, bad) },
    };
  });
  return { file, dataDir, members };
}

type Bad = (where: string, why: string) => ClusterConfigError;

function objectAt(value: unknown, at: string, bad: Bad): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(at, 'must be an object');
}

function onlyKeys(object: Record<string, unknown>, keys: readonly string[], prefix: string, bad: Bad): void {
  for (const key of Object.keys(object)) {
    if (!keys.includes(key)) throw bad(`${prefix}${key}`, `is not known; there are ${keys.join(', ')}`);
  }
}

function stringAt(value: unknown, at: string, bad: Bad): string {
  if (typeof value === 'string' && value !== '') return value;
  throw bad(at, value === undefined ? 'is missing' : 'must be a string that is not empty');
}

function urlsAt(value: unknown, at: string, bad: Bad): string[] {
  const urls = stringAt(value, at, bad)
    .split(',')
    .map((url) => url.trim().replace(/\/$/, ''));
  for (const url of urls) {
    const port = /^http:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d+)$/.exec(url)?.[1];
    if (port === undefined) throw bad(at, `"${url}" must be http://host:port`);
    if (Number(port) < 1 || Number(port) > 65535) throw bad(at, `port ${port} of "${url}" must be 1 to 65535`);
  }
  return urls;
}

function flagsAt(value: unknown, at: string, known: ReadonlySet<string>, bad: Bad): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [name, setting] of Object.entries(objectAt(value, at, bad))) {
    const where = `${at}.${name}`;
    if (DERIVED.includes(name)) throw bad(where, 'follows from the rest of the file');
    if (!known.has(name)) throw bad(where, 'is no flag of keel server');
    if (!['string', 'number', 'boolean'].includes(typeof setting)) {
      throw bad(where, 'must be a string, a number or a boolean');
    }
    flags[name] = String(setting);
  }
  return flags;
}

/** The arguments of `keel server` for one member. */
export function memberArgs(config: ClusterConfig, member: ClusterMember): string[] {
  const initial = config.members.flatMap((other) => other.peerUrls.map((url) => `${other.name}=${url}`)).join(',');
  const args = [
    `--name=${member.name}`,
    `--data-dir=${member.dataDir}`,
    `--listen-client-urls=${member.clientUrls.join(',')}`,
    `--advertise-client-urls=${member.clientUrls.join(',')}`,
    `--listen-peer-urls=${member.peerUrls.join(',')}`,
    `--initial-advertise-peer-urls=${member.peerUrls.join(',')}`,
    `--initial-cluster=${initial}`,
    '--initial-cluster-state=new',
  ];
  for (const [name, setting] of Object.entries(member.flags)) args.push(`--${name}=${setting}`);
  return args;
}
