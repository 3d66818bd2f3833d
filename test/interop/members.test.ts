import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdBinary, etcdctlBinary, missing } from '../support/binaries.js';
import { Cluster } from '../support/cluster.js';
import type { CtlResult } from '../support/ctl.js';
import { runEtcdctl, runKeelctl } from '../support/ctl.js';
import { Etcdctl } from '../support/etcdctl.js';
import { sleep } from '../support/member-process.js';

/**
 * The same membership changes through the real etcdctl and through keelctl, on three members of ours and on three of a
 * real etcd: what is printed must be equal, but for ids and addresses, and for the order of members, which is that of
 * their ids.
 */
const reason =
  missing('keel') ??
  (etcdctlBinary() ? undefined : 'no etcdctl: set KEEL_TEST_ETCDCTL_BIN or put etcdctl on PATH') ??
  (etcdBinary() ? undefined : 'no etcd to compare with: set KEEL_TEST_ETCD_BIN or put etcd on PATH');
if (reason) console.warn(`SKIPPED membership changes beside a real etcd: ${reason}`);

type Tool = (run: { args: readonly string[] }) => Promise<CtlResult>;

/** Of members that never run; none twice for an add, since ids are made of URLs and the second. */
const URLS = [1, 2, 3, 4, 5].map((port) => `http://127.0.0.1:${port}`);

async function script(cluster: Cluster, tool: Tool): Promise<string[]> {
  const masker = new Etcdctl(cluster);
  const transcript: string[] = [];
  const run = async (args: string[], endpoints = cluster.endpoints): Promise<string> => {
    const { code, out, err } = await tool({ args: [`--endpoints=${endpoints.join(',')}`, ...args] });
    const command = masker.mask(args.join(' '));
    transcript.push(
      `${command} -> ${code}\n${sorted(masker.mask(out).replace(/ +<id>/g, ' <id>'))}${masker.mask(withoutLog(err))}`,
    );
    return out;
  };
  const idIn = (out: string): string => /Member\s+([0-9a-f]+)/.exec(out)?.[1] ?? 'none';
  const leader = await cluster.leader();
  const [first, second] = cluster.members.map(({ peerPort }) => `http://127.0.0.1:${peerPort}`) as [string, string];
  const ids = new Map(
    (await tool({ args: [`--endpoints=${cluster.endpoints.join(',')}`, 'member', 'list'] })).out
      .trim()
      .split('\n')
      .map((line) => [line.split(', ')[2], line.split(', ')[0]] as [string, string]),
  );

  for (const format of ['simple', 'json', 'fields', 'table']) await run(['member', 'list', '-w', format]);
  const learner = idIn(await run(['member', 'add', 'm4', `--peer-urls=${URLS[0]}`, '--learner']));
  await run(['member', 'list']);
  await run(['member', 'promote', learner]);
  await run(['member', 'promote', ids.get(leader) as string]);
  await run(['member', 'promote', '1234']);
  for (const { endpoint } of cluster.members) await run(['member', 'promote', '1234'], [endpoint]);
  await run(['member', 'add', 'm5', `--peer-urls=${URLS[1]}`, '--learner']);
  await run(['member', 'add', 'm5', `--peer-urls=${first}`]);
  await run(['member', 'remove', learner]);
  await run(['member', 'remove', learner]);
  await run(['member', 'remove', '1234']);
  const voter = idIn(await run(['member', 'add', 'm4', `--peer-urls=${URLS[0]},${URLS[1]}`]));
  // Not a learner: an etcd of 3.5 makes a voter of it by an update (its issue 21736).
  await run(['member', 'update', voter, `--peer-urls=${URLS[2]}`, '-w', 'fields']);
  await run(['member', 'update', voter, `--peer-urls=${URLS[0]},${URLS[2]}`]);
  await run(['member', 'update', voter, `--peer-urls=${URLS[0]}`, '-w', 'json']);
  await run(['member', 'update', voter, `--peer-urls=${second}`]);
  await run(['member', 'update', '1234', `--peer-urls=${URLS[2]}`]);
  await run(['member', 'list', '-w', 'json']);
  await run(['member', 'remove', voter, '-w', 'fields']);
  const added = await run(['member', 'add', 'm4', `--peer-urls=${URLS[3]}`, '-w', 'json']);
  const id = BigInt(/"member":\{"ID":(\d+)/.exec(added)?.[1] ?? '0').toString(16);
  await run(['member', 'remove', id, '-w', 'json']);
  await run(['member', 'add', 'm4', `--peer-urls=${URLS[4]}`, '--learner', '-w', 'table']);
  const list = await run(['member', 'list']);
  const left =
    list
      .split('\n')
      .find((line) => line.includes('unstarted'))
      ?.split(', ')[0] ?? 'none';
  await run(['move-leader', left]);
  await run(['move-leader', '1234']);
  await run(['member', 'remove', left]);

  const follower = cluster.names.find((name) => name !== leader) as string;
  await run(['move-leader', ids.get(follower) as string], [cluster.member(follower).endpoint]);
  await run(['move-leader', ids.get(leader) as string]);
  await run(['move-leader', ids.get(follower) as string]);
  await cluster.converged();
  await run(['move-leader', ids.get(leader) as string]);
  await cluster.converged();
  return transcript;
}

/** Members in one order, whatever their ids. */
function sorted(out: string): string {
  const jsonSorted = out.replace(/"members":\[(.*)\]/g, (_, list: string) => {
    const members = list.split(/(?<=\}),/).sort();
    return `"members":[${members.join(',')}]`;
  });
  const initial = jsonSorted.replace(/(ETCD_INITIAL_CLUSTER=")([^"]*)"/, (_, name: string, list: string) => {
    return `${name}${list.split(',').sort().join(',')}"`;
  });
  // Columns are as wide as ids and ports are, and borders are each version's own.
  if (/ADDRS/.test(initial)) {
    const cells = initial
      .replace(/\xe2\x94./g, '')
      .replace(/[-|+]{3,}|[|]/g, '')
      .replace(/ +/g, ' ');
    return cells
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .sort()
      .join('\n');
  }
  return initial.includes('ETCD_NAME') ? initial : initial.split('\n').sort().join('\n');
}

/** etcdctl's client says what it retries, one JSON object a line. */
function withoutLog(err: string): string {
  return err.replace(/^\{.*\}\n/gm, '');
}

/** What 3.6, and so keelctl, words otherwise than an etcdctl of 3.5 (etcd operations §5.3, §5.4, §5.5). */
function as36(transcript: readonly string[]): string[] {
  return transcript.map((entry) =>
    entry
      .replace(/^(member add .*--learner.* -> 0\n(?:.|\n)*)added to cluster/m, '$1added as learner to cluster')
      .replaceAll('"clientURLS"', '"clientURLs"')
      .replace(/\n"Revision" : 0(?=\n|$)/g, ''),
  );
}

describe.skipIf(reason)('membership changes, compared with a real etcd', () => {
  let ours: Cluster;
  let theirs: Cluster;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([Cluster.start({ kind: 'keel' }), Cluster.start({ kind: 'etcd' })]);
    // Members are taken for healthy when they have been connected for five seconds.
    await sleep(5500);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([ours?.dispose(), theirs?.dispose()]);
  });

  it('by etcdctl and by keelctl', { timeout: 60_000 }, async () => {
    const [etcdctlOurs, etcdctlTheirs] = await Promise.all([script(ours, runEtcdctl), script(theirs, runEtcdctl)]);
    expect(etcdctlOurs).toEqual(etcdctlTheirs);
    const [keelctlOurs, keelctlTheirs] = await Promise.all([script(ours, runKeelctl), script(theirs, runKeelctl)]);
    expect(keelctlOurs).toEqual(keelctlTheirs);
    expect(keelctlOurs).toEqual(as36(etcdctlOurs));
  });
});
