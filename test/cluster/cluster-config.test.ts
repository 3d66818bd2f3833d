import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadClusterConfig, memberArgs, parseClusterConfig } from '../../src/cluster/cluster-config.js';

const KNOWN = new Set(['name', 'data-dir', 'heartbeat-interval', 'pre-vote']);
const member = (name: string, port: number, more: object = {}) => ({
  name,
  listenClientUrls: `http://127.0.0.1:${port}`,
  listenPeerUrls: `http://127.0.0.1:${port + 1}`,
  ...more,
});
const parse = (json: unknown) => parseClusterConfig(json, '/srv/c.json', 'c.json', KNOWN);

describe('cluster.config.json', () => {
  test('becomes the arguments of each member', () => {
    const config = parse({
      members: [member('a', 10, { flags: { 'heartbeat-interval': 20 } }), member('b', 20)],
      flags: { 'heartbeat-interval': 50, 'pre-vote': true },
    });
    expect(memberArgs(config, config.members[0]!)).toEqual([
      '--name=a',
      '--data-dir=/srv/data/a',
      '--listen-client-urls=http://127.0.0.1:10',
      '--advertise-client-urls=http://127.0.0.1:10',
      '--listen-peer-urls=http://127.0.0.1:11',
      '--initial-advertise-peer-urls=http://127.0.0.1:11',
      '--initial-cluster=a=http://127.0.0.1:11,b=http://127.0.0.1:21',
      '--initial-cluster-state=new',
      '--heartbeat-interval=20',
      '--pre-vote=true',
    ]);
  });

  test.each([
    [[], 'c.json: the file: must be an object'],
    [{}, 'c.json: members: must be a list'],
    [{ members: [] }, 'c.json: members: must name at least one member'],
    [{ members: [member('a', 1)], mebers: 1 }, 'c.json: mebers: is not known; there are dataDir, members, flags'],
    [{ members: [member('a', 1, { port: 1 })] }, 'c.json: members[0].port: is not known'],
    [{ members: [{}] }, 'c.json: members[0].name: is missing'],
    [{ members: [member('a b', 1)] }, 'c.json: members[0].name: "a b" must be letters'],
    [{ members: [member('a', 1), member('a', 5)] }, 'c.json: members[1].name: "a" is there twice'],
    [{ members: [member('a', 1), member('b', 1)] }, 'c.json: members[1]: http://127.0.0.1:1 is also in members[0]'],
    [{ members: [member('a', 0)] }, 'port 0 of "http://127.0.0.1:0" must be 1 to 65535'],
    [{ members: [member('a', 1, { listenPeerUrls: 'x' })] }, 'members[0].listenPeerUrls: "x" must be http://host:port'],
    [{ members: [member('a', 1, { flags: { nope: 1 } })] }, 'members[0].flags.nope: is no flag of keel server'],
    [{ members: [member('a', 1)], flags: { name: 'x' } }, 'flags.name: follows from the rest of the file'],
    [
      { members: [member('a', 1)], flags: { 'pre-vote': [] } },
      'flags.pre-vote: must be a string, a number or a boolean',
    ],
  ])('%j is refused in one line', (json, text) => {
    expect(() => parse(json)).toThrow(text);
  });

  test('a file that is missing or no JSON is named', () => {
    const dir = mkdtempSync(join(tmpdir(), 'keel-config-'));
    try {
      const path = join(dir, 'c.json');
      expect(() => loadClusterConfig(path, KNOWN)).toThrow(path);
      writeFileSync(path, '{');
      expect(() => loadClusterConfig(path, KNOWN)).toThrow(/c\.json: not JSON/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
