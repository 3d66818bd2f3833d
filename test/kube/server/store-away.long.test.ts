import { expect, test } from 'vitest';
import { ApiClient } from '../support/api-client.js';
import { Plane } from '../support/plane.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

test('two of three members are gone: errors that clients try again, nothing half written, and all is well when they are back', async () => {
  const plane = await Plane.start('cluster');
  const api = new ApiClient(plane);
  const { cluster } = plane.store;
  try {
    expect((await api.call(`POST ${MAPS}`, { body: map('before') })).status).toBe(201);
    const watch = await api.watch(`${MAPS}?watch=true&resourceVersion=0`);
    await watch.until(({ events }) => events.some((one) => one.object.metadata.name === 'before'));

    for (const member of cluster!.members.slice(0, 2)) await member.process.kill9();
    const [read, write, ready] = await Promise.all([
      api.call(`GET ${MAPS}/before`),
      api.call(`POST ${MAPS}`, { body: map('during') }),
      api.call('GET /readyz?verbose'),
    ]);
    for (const answer of [read, write]) {
      expect([503, 504], answer.text).toContain(answer.status);
      expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.status });
      expect(['ServiceUnavailable', 'Timeout']).toContain(answer.json.reason);
    }
    // A write may have come about: whether it is sent again is for its sender to decide.
    expect(read.headers['retry-after']).toBe('1');
    expect(ready.status).toBe(500);
    expect(ready.text).toContain('[-]etcd failed: reason withheld');
    // It lives all the same: what it needs not the store for is answered.
    expect((await api.call('GET /version')).status).toBe(200);
    expect((await api.call('GET /apis')).status).toBe(200);

    for (const member of cluster!.members.slice(0, 2)) member.process.start();
    await cluster!.allReady();
    await expect.poll(async () => (await api.call('GET /readyz')).text, { timeout: 20_000 }).toBe('ok');
    expect((await api.call(`POST ${MAPS}`, { body: map('after') })).status).toBe(201);
    await watch.until(({ events }) => events.some((one) => one.object.metadata.name === 'after'));
    // Whether the write in between came about or not, it is whole or it is not there, and the watch agrees with the list.
    const names = (await api.call(`GET ${MAPS}`)).json.items.map((one: any) => one.metadata.name).sort();
    const seen = watch.events
      .filter((one) => one.type === 'ADDED')
      .map((one) => one.object.metadata.name)
      .sort();
    expect(seen).toEqual(names);
    watch.stop();
  } finally {
    api.close();
    await plane.stop();
  }
}, 120_000);
