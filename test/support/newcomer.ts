import { join } from 'node:path';
import type { Cluster, Member } from './cluster.js';
import { MemberProcess } from './member-process.js';
import { freePorts } from './ports.js';

/** A member that is not in its cluster yet: its ports and folder are there, nothing runs. */
export interface Newcomer extends Member {
  readonly peerUrl: string;
  /** Starts it with --initial-cluster-state existing. @param others the cluster's members as name=url */
  join(others: readonly string[], flags?: readonly string[]): Promise<void>;
}

/** Lays out one more member of a cluster; it counts as one of `cluster.members` from its start on. */
export async function newcomer(cluster: Cluster, name: string, readyTimeoutMs = 20_000): Promise<Newcomer> {
  const [clientPort, peerPort] = (await freePorts(2)) as [number, number];
  const endpoint = `127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const dataDir = join(cluster.dir, `${name}.data`);
  const process = new MemberProcess({
    kind: cluster.kind,
    name,
    logFile: join(cluster.dir, 'logs', `${name}.log`),
    flags: [],
  });
  const member: Newcomer = {
    name,
    clientPort,
    peerPort,
    endpoint,
    dataDir,
    process,
    peerUrl,
    async join(others, flags = []) {
      process.spec.flags = [
        ...['--name', name, '--data-dir', dataDir],
        ...['--listen-client-urls', `http://${endpoint}`, '--advertise-client-urls', `http://${endpoint}`],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ...['--initial-cluster', [...others, `${name}=${peerUrl}`].join(','), '--initial-cluster-state', 'existing'],
        ...['--heartbeat-interval', '50', '--election-timeout', '500', ...flags],
      ];
      cluster.members.push(member);
      process.start();
      await process.ready(readyTimeoutMs);
    },
  };
  return member;
}

/** Forgets a member that was removed, and ends what is left of its process. */
export async function forget(cluster: Cluster, name: string): Promise<void> {
  const at = cluster.members.findIndex((member) => member.name === name);
  const [gone] = cluster.members.splice(at, 1);
  await gone?.process.kill9();
}
