import type { KubeConfig, V1ConfigMap, V1JSONSchemaProps } from '@kubernetes/client-node';
import {
  ApiException,
  ApiextensionsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import { expect } from 'vitest';
import { Cluster } from '../../support/cluster.js';
import { Server, until } from '../support/server.js';
import { configOf } from './config.js';
import type { Journal, Sail } from './controller.js';
import { Controller, GROUP, NAMESPACE } from './controller.js';

const SAILS = { group: GROUP, version: 'v1', namespace: NAMESPACE, plural: 'sails' };

async function define(config: KubeConfig): Promise<void> {
  const api = config.makeApiClient(ApiextensionsV1Api);
  const object = (properties: Record<string, V1JSONSchemaProps>): V1JSONSchemaProps => ({ type: 'object', properties });
  const schema = object({
    spec: { ...object({ size: { type: 'integer' } }), required: ['size'] },
    status: object({ child: { type: 'string' } }),
  });
  const name = `sails.${GROUP}`;
  await api.createCustomResourceDefinition({
    body: {
      metadata: { name },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { plural: 'sails', kind: 'Sail' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: schema },
          },
        ],
      },
    },
  });
  await until(async () => {
    const { status } = await api.readCustomResourceDefinition({ name });
    return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false;
  }, 'the definition is served');
}

/**
 * Two replicas of a controller, on two API servers, over three members whose leader is killed again and again, while
 * Sails are made and changed. @returns a line of what happened
 */
export async function runController(seconds: number): Promise<string> {
  const cluster = await Cluster.start({ kind: 'keel', size: 3 });
  const servers: Server[] = [];
  const replicas: Controller[] = [];
  const journal: Journal = { reigns: [], made: [], errors: 0 };
  try {
    for (let i = 0; i < 2; i++) servers.push(await Server.start({ endpoints: cluster.endpoints }));
    const configs = servers.map(({ kube }) => configOf(kube));
    const [config] = configs as [KubeConfig];
    await define(config);
    const core = config.makeApiClient(CoreV1Api);
    const custom = config.makeApiClient(CustomObjectsApi);
    replicas.push(...configs.map((one, i) => new Controller(`replica-${i}`, one, journal)));
    for (const replica of replicas) replica.start();

    const began = performance.now();
    const running = () => performance.now() - began < seconds * 1000;
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const sizes = new Map<string, number>();
    let refused = 0;
    /** Until it is answered: what was answered with an error may have happened. */
    const insist = async (call: () => Promise<unknown>, fine: readonly number[] = []) => {
      for (;;) {
        try {
          return await call();
        } catch (err) {
          const code = err instanceof ApiException ? err.code : 0;
          if (fine.includes(code)) return undefined;
          expect([0, 409, 429, 500, 503, 504]).toContain(code);
          refused++;
          await sleep(100);
        }
      }
    };
    /** However slow the machine is: no more than the controller can do. */
    const pace = async (ms: number) => {
      await sleep(ms);
      while (running() && (replicas.find(({ leading }) => leading)?.todo ?? 0) > 10) await sleep(50);
    };
    const create = async () => {
      for (let i = 0; running(); i++) {
        const name = `sail-${i}`;
        const body = { apiVersion: `${GROUP}/v1`, kind: 'Sail', metadata: { name }, spec: { size: i } };
        await insist(() => custom.createNamespacedCustomObject({ ...SAILS, body }), [409]);
        sizes.set(name, i);
        await pace(60);
      }
    };
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const change = async () => {
      for (let i = 0; running(); i++) {
        await pace(150);
        const names = [...sizes.keys()];
        const name = names[(i * 7) % names.length];
        if (name === undefined) continue;
        const size = 1000 + i;
        sizes.set(name, size);
        await insist(() => custom.patchNamespacedCustomObject({ ...SAILS, name, body: { spec: { size } } }, merge));
      }
    };
    let kills = 0;
    const kill = async () => {
      while (performance.now() - began < (seconds - 2) * 1000) {
        await sleep(1000);
        const leader = await cluster.leader();
        await cluster.kill9(leader);
        kills++;
        await sleep(700);
        await cluster.restart(leader);
      }
    };
    // The journal of the replicas is what they believe; the Lease's own history is what was so.
    const holders: string[] = [];
    const leaseWatch = await watchLease(config, (holder, transitions) => holders.push(`${transitions} ${holder}`));
    // One replica goes silent in the middle: the other has to take over.
    const depose = async () => {
      await sleep((seconds * 1000) / 2);
      await until(() => replicas.some(({ leading }) => leading), 'a leader to depose');
      await replicas.find(({ leading }) => leading)!.stop();
    };
    await Promise.all([depose(), create(), change(), kill()]);

    const children = async (): Promise<V1ConfigMap[]> =>
      (await core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'sail' })).items;
    const wanted = new Map([...sizes].map(([name, size]) => [`${name}-cloth`, String(size)]));
    const present = async () => new Map((await children()).map(({ metadata, data }) => [metadata!.name!, data!.size!]));
    const behind = performance.now();
    let there = new Map<string, string>();
    const missed = () => [...wanted].filter(([name, size]) => there.get(name) !== size);
    await until(
      async () => {
        there = await present().catch(() => new Map<string, string>());
        return there.size === wanted.size && missed().length === 0;
      },
      'a child for every Sail',
      60_000,
    ).catch((err: Error) => {
      const lines = [
        ...replicas.map(({ words }) => words),
        `${wanted.size} wanted, ${there.size} there`,
        `${missed()}`,
      ];
      throw new Error(`${err.message}: ${new Date().toISOString()} ${lines.join('; ')}`);
    });
    const caughtUpMs = Math.round(performance.now() - behind);
    const sails = (await custom.listNamespacedCustomObject(SAILS)).items as Sail[];
    expect(sails.map(({ metadata }) => metadata!.name).sort()).toEqual([...sizes.keys()].sort());
    const uids = new Map(sails.map(({ metadata }) => [metadata!.name!, metadata!.uid]));
    for (const { metadata } of await children()) {
      const [owner, ...more] = metadata!.ownerReferences!;
      expect([more.length, owner!.uid]).toEqual([0, uids.get(owner!.name)]);
      expect(metadata!.name).toBe(`${owner!.name}-cloth`);
    }
    expect(new Set(journal.made).size, 'no child was made twice').toBe(journal.made.length);
    const reigns = [...journal.reigns].sort((a, b) => a.from - b.from);
    expect(reigns.length).toBeGreaterThan(0);
    for (const [i, reign] of reigns.entries()) {
      const next = reigns[i + 1];
      if (next !== undefined && next.who !== reign.who) expect(next.from).toBeGreaterThanOrEqual(reign.until!);
    }
    expect(new Set(reigns.map(({ who }) => who)).size).toBe(2);
    // Each transition has one holder.
    leaseWatch();
    const terms = new Map<string, Set<string>>();
    for (const line of holders) {
      const [term, who] = line.split(' ') as [string, string];
      terms.set(term, (terms.get(term) ?? new Set()).add(who));
    }
    for (const [term, who] of terms) expect([term, who.size]).toEqual([term, 1]);
    const lease = await config
      .makeApiClient(CoordinationV1Api)
      .readNamespacedLease({ name: 'sail-controller', namespace: NAMESPACE });
    expect(kills).toBeGreaterThanOrEqual(Math.floor(seconds / 6));
    return (
      `${seconds} s: the store's leader killed ${kills} times; ${sails.length} Sails, each with its child, ` +
      `${journal.made.length} made, the last ${caughtUpMs} ms after the end; the controller's leader changed ${lease.spec!.leaseTransitions} times, ` +
      `${reigns.length} reigns; ${refused} refusals heard by clients, ${journal.errors} by the controller`
    );
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
    for (const server of servers) await server.stop();
    await cluster.dispose();
  }
}

/** @returns what ends it */
async function watchLease(
  config: KubeConfig,
  told: (holder: string, transitions: number) => void,
): Promise<() => void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
  const query = { fieldSelector: 'metadata.name=sail-controller' };
  const take = (_: string, lease: any) => told(lease.spec?.holderIdentity ?? '', lease.spec?.leaseTransitions ?? 0);
  const controller = await new Watch(config).watch(path, query, take, () => {});
  return () => controller.abort();
}
