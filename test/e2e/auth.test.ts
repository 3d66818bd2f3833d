import { describe, expect, it } from 'vitest';
import { Auth, KV } from '../../src/wire/index.js';
import { AuthCaller } from '../auth/support/caller.js';
import { perm, put, READ, range } from '../auth/support/story.js';
import { missing } from '../support/binaries.js';
import { withCluster } from '../support/cluster.js';

const reason = missing('keel');
if (reason) console.warn(`SKIPPED users on three members: ${reason}`);

describe.skipIf(reason)('three members', () => {
  it('know a token that one of them gave, at once, and a change of the rules', { timeout: 60_000 }, async () => {
    await withCluster({ kind: 'keel', size: 3, flags: ['--bcrypt-cost', '4'] }, async (cluster) => {
      const callers = cluster.endpoints.map((endpoint) => new AuthCaller(endpoint));
      const [first] = callers as [AuthCaller];
      try {
        await first.call(Auth.UserAdd, { name: 'root', password: 'r' });
        await first.call(Auth.UserGrantRole, { user: 'root', role: 'root' });
        await first.call(Auth.UserAdd, { name: 'u', password: 'p' });
        await first.call(Auth.RoleAdd, { name: 'r' });
        await first.call(Auth.RoleGrantPermission, { name: 'r', perm: perm(READ, 'a') });
        await first.call(Auth.UserGrantRole, { user: 'u', role: 'r' });
        expect((await first.call(Auth.AuthEnable, {})).ok).toBe(true);
        for (let i = 0; i < 5; i++) {
          const giver = callers[i % 3]!;
          expect(await giver.login('u', 'p')).toBe('OK');
          expect(await giver.login('root', 'r')).toBe('OK');
          const [user, root] = ['u', 'root'].map((name) => `token:${giver.tokenOf(name)}`) as [string, string];
          const answers = await Promise.all(callers.map((caller) => caller.call(KV.Range, range('a'), user)));
          expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
          const puts = await Promise.all(callers.map((caller) => caller.call(KV.Put, put('a'), user)));
          for (const refused of puts) expect(refused).toEqual({ ok: false, text: '7 etcdserver: permission denied' });
          expect((await callers[(i + 1) % 3]!.call(KV.Put, put('b'), root)).ok).toBe(true);
        }
        // Gone at one, gone at all, as soon as they have applied it: a linearizable read has.
        const token = `token:${first.tokenOf('u')}`;
        expect((await first.call(Auth.UserDelete, { name: 'u' }, 'root')).ok).toBe(true);
        for (const caller of callers) {
          const text = (await caller.call(KV.Range, range('a'), token)) as { ok: boolean; text?: string };
          expect(text).toEqual({ ok: false, text: '16 etcdserver: invalid auth token' });
        }
      } finally {
        for (const caller of callers) caller.close();
      }
    });
  });
});
