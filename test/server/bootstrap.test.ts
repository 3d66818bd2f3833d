import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bootstrapNew } from '../../src/server/bootstrap.js';
import { confStateJson, parseConfState } from '../../src/server/conf-changes.js';
import type { MemberConfig } from '../../src/server/config.js';
import { memberDefaults, validate } from '../../src/server/config.js';
import { MemberRecord, parseMember } from '../../src/server/member-record.js';
import { clusterVersionOf, KEEL_VERSION } from '../../src/util/versions.js';
import { ConfChange } from '../../src/wire/index.js';

const config = (more: Partial<MemberConfig> = {}): MemberConfig => ({ ...memberDefaults('a'), ...more });
const three = ['a', 'b', 'c'].map((name, i) => ({ name, peerUrls: [`http://h:${i + 1}`] }));

describe('the first log of a new cluster', () => {
  test('one committed change a member in term 1, by id, the same on every member', () => {
    const logs = three.map(({ name, peerUrls }) =>
      bootstrapNew(config({ name, initialCluster: three, advertisePeerUrls: peerUrls })),
    );
    const [first] = logs;
    expect(first?.hardState).toEqual({ term: 1, vote: 0n, commit: 3 });
    expect(new Set(logs.map((log) => log.clusterId)).size).toBe(1);
    expect(new Set(logs.map((log) => log.memberId)).size).toBe(3);
    for (const log of logs) {
      expect(log.entries.map((e) => [e.index, e.term, e.data.toString('hex')])).toEqual(
        first?.entries.map((e) => [e.index, e.term, e.data.toString('hex')]),
      );
    }
    const ids = first?.entries.map((e) => ConfChange.decode(e.data).nodeId) ?? [];
    expect([...ids].sort((x, y) => (x < y ? -1 : 1))).toEqual(ids);
    const { member } = parseMember(ConfChange.decode(first!.entries[0]!.data).context.toString());
    expect(three.map((m) => m.name)).toContain(member.name);
  });

  test.each([
    [{ name: 'z', initialCluster: three }, `couldn't find local name "z" in the initial cluster configuration`],
    [{ initialCluster: three, advertisePeerUrls: ['http://h:9'] }, '--initial-cluster must include a=http://h:9'],
    [
      { initialCluster: [{ name: 'a', peerUrls: ['http://h:1', 'http://h:2'] }], advertisePeerUrls: ['http://h:1'] },
      '--initial-cluster has a=http://h:2 but missing from --initial-advertise-peer-urls=http://h:1',
    ],
    [
      { initialCluster: [...three, { name: 'd', peerUrls: ['http://h:1'] }], advertisePeerUrls: ['http://h:1'] },
      'initial cluster has duplicate URL "http://h:1"',
    ],
  ])('%j is refused', (more, text) => {
    expect(() => bootstrapNew(config(more))).toThrow(text);
  });
});

describe('the configuration of a member', () => {
  test.each([
    [{ heartbeatMs: 0 }, '--heartbeat-interval must be >0 (set to 0ms)'],
    [{ electionMs: 0 }, '--election-timeout must be >0 (set to 0ms)'],
    [
      { heartbeatMs: 100, electionMs: 400 },
      '--election-timeout[400ms] should be at least as 5 times as --heartbeat-interval[100ms]',
    ],
    [{ electionMs: 60_000 }, '--election-timeout[60000ms] is too long, and should be set less than 50000ms'],
    [{ snapshotCount: 0 }, '--snapshot-count must be >0 (set to 0)'],
  ])('%j is refused', (more, text) => {
    expect(() => validate(config(more))).toThrow(text);
  });
});

describe("a member in etcd's JSON", () => {
  test('ids are numbers beyond what JSON.stringify can write, and absent fields stay absent', () => {
    const id = 0xfedc_ba98_7654_3210n;
    expect(new MemberRecord(id, ['http://h:1']).json()).toBe(`{"id":${id},"peerURLs":["http://h:1"]}`);
    const full = new MemberRecord(id, ['http://h:1'], true, 'n', ['http://h:2']);
    expect(full.json(false)).toBe(
      `{"id":${id},"peerURLs":["http://h:1"],"isLearner":true,"name":"n","clientURLs":["http://h:2"],"isPromote":false}`,
    );
    expect(parseMember(full.json(true))).toEqual({ member: full, isPromote: true });
  });

  test('a ConfState likewise', () => {
    const state = { voters: [1n, 0xffff_ffff_ffff_ffffn], learners: [3n] };
    expect(parseConfState(Buffer.from(confStateJson(state)))).toEqual(state);
    expect(parseConfState(undefined)).toEqual({ voters: [], learners: [] });
  });
});

test('the cluster runs the lowest version of its members, or the highest that is allowed', () => {
  expect(clusterVersionOf(['3.6.14', '3.6.0'], null)).toBe('3.6.0');
  expect(clusterVersionOf(['3.6.14', '3.5.30'], null)).toBe('3.5.0');
  expect(clusterVersionOf(['3.6.14'], '3.5')).toBe('3.5.0');
});

test('the version that members tell is the package’s', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(KEEL_VERSION).toBe(version);
});
