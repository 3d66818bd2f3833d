import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeelClient } from '../../src/client/index.js';
import { Cluster } from '../support/cluster.js';
import { describeStores } from '../support/stores.js';

describeStores('client with a user', (kind) => {
  let cluster: Cluster;
  let open: KeelClient;

  beforeAll(async () => {
    cluster = await Cluster.start({ kind, size: 1 });
    open = new KeelClient({ endpoints: cluster.endpoints });
    await open.auth.userAdd('root', 'secret');
    await open.auth.roleAdd('root');
    await open.auth.userGrantRole('root', 'root');
    await open.auth.roleAdd('reader');
    await open.auth.roleGrantPermission('reader', 'read', 'public/', { prefix: true });
    await open.auth.userAdd('alice', 'wonder');
    await open.auth.userGrantRole('alice', 'reader');
    await open.auth.enable();
  });

  afterAll(async () => {
    await open?.close();
    await cluster?.dispose();
  });

  const as = (name: string, password: string) =>
    new KeelClient({ endpoints: cluster.endpoints, auth: { name, password } });

  it('may do what its roles allow', async () => {
    const root = as('root', 'secret');
    const alice = as('alice', 'wonder');
    await root.put('public/a', 'v');
    expect((await alice.get('public/', { prefix: true })).count).toBe(1);
    await expect(alice.put('public/a', 'w')).rejects.toMatchObject({ code: 'ERR_PERMISSION_DENIED', grpcCode: 7 });
    await expect(alice.get('private')).rejects.toMatchObject({ code: 'ERR_PERMISSION_DENIED' });
    await expect(open.get('public/a')).rejects.toMatchObject({ code: 'ERR_USER_EMPTY' });
    await expect(as('alice', 'wrong').get('public/a')).rejects.toMatchObject({ code: 'ERR_AUTH_FAILED' });
    const watch = alice.watch('private');
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_PERMISSION_DENIED' });
    expect((await root.auth.userGet('alice')).roles).toEqual(['reader']);
    expect((await root.auth.roleGet('reader')).permissions).toEqual([
      { kind: 'read', key: Buffer.from('public/'), rangeEnd: Buffer.from('public0') },
    ]);
    await root.close();
    await alice.close();
  });

  describe('whose token the server has forgotten', () => {
    it('gets a new one, for calls and for watches', async () => {
      const root = as('root', 'secret');
      await root.put('public/b', '1');
      const watch = root.watch('public/b');
      await watch.created();
      const events: string[] = [];
      watch.on('event', (e) => events.push(e.kv.value.toString()));
      const { name } = cluster.members[0]!;
      await cluster.kill9(name);
      await cluster.restart(name);
      await root.put('public/b', '2');
      await expect.poll(() => events).toEqual(['2']);
      await root.close();
    });
  });
});
