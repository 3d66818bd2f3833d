import { expect, test } from 'vitest';
import type { SimNode } from '../../src/sim/node.js';
import { DiskLab } from '../sim/support/disk-lab.js';

const NO_DEADLINE = { deadline: 0 };
const ID = 77n;
const TTL = 100;

function ask<T>(lab: DiskLab, node: SimNode, send: (member: never, done: never) => void): T {
  const got: T[] = [];
  node.enter((member) =>
    send(
      member as never,
      {
        ok: (value: T) => got.push(value),
        fail: (err: Error) => {
          throw err;
        },
      } as never,
    ),
  );
  lab.until(20_000, 'an answer', () => got.length > 0);
  return got[0] as T;
}

type Api = import('../../src/server/index.js').MemberApi;
const leader = (lab: DiskLab) => lab.leader as SimNode;
const grant = (lab: DiskLab) =>
  ask(lab, leader(lab), (member: Api, done) => member.leaseGrant({ id: ID, ttl: TTL }, NO_DEADLINE, done));
const renew = (lab: DiskLab) =>
  ask<{ ttl: number }>(lab, leader(lab), (m: Api, done) => m.leaseRenew(ID, NO_DEADLINE, done));
const left = (lab: DiskLab) =>
  ask<{ ttl: number }>(lab, leader(lab), (m: Api, done) => m.leaseTimeToLive(ID, false, NO_DEADLINE, done)).ttl;

function changeLeader(lab: DiskLab): void {
  const old = leader(lab);
  old.crash('process');
  lab.until(20_000, 'another leader', () => lab.leader !== null && lab.leader !== old);
  old.start();
  lab.until(20_000, 'all serve', () => lab.nodes.every((node) => node.ready));
}

function started(leaseCheckpoint: boolean): DiskLab {
  const lab = new DiskLab({ seed: 5, config: { leaseCheckpoint }, tuning: { leaseCheckpointMs: 10_000 } });
  lab.start();
  grant(lab);
  return lab;
}

test('without the gate a lease begins anew with a new leader', () => {
  const lab = started(false);
  lab.cluster.run(45_000);
  expect(left(lab)).toBeLessThan(60);
  changeLeader(lab);
  expect(left(lab)).toBeGreaterThan(90);
});

test('with it, what was left at the last checkpoint is left with the next leader, and after a restart of all', () => {
  const lab = started(true);
  lab.cluster.run(45_000);
  changeLeader(lab);
  expect(left(lab)).toBeLessThan(62);
  expect(left(lab)).toBeGreaterThan(45);
  for (const node of lab.nodes) node.crash('none');
  for (const node of lab.nodes) node.start();
  lab.until(20_000, 'all serve', () => lab.nodes.every((node) => node.ready) && lab.leader !== null);
  expect(left(lab)).toBeLessThan(62);
});

test('a renewal gives the whole time again, also with the next leader, and ends it in time', () => {
  const lab = started(true);
  lab.cluster.run(45_000);
  expect(renew(lab)).toEqual({ ttl: TTL });
  changeLeader(lab);
  expect(left(lab)).toBeGreaterThan(90);
  lab.until(130_000, 'the lease ends', () => leader(lab)?.member?.leases().length === 0);
});
