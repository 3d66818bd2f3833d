import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

describeKubectl('kubectl: objects', (k) => {
  test('create, get in every form, delete', async () => {
    expect(await k().run('create cm a --from-literal=x=1 --from-literal=y=2')).toBe('configmap/a created\n');
    expect(await k().run('get cm a')).toMatch(/^NAME {3}DATA {3}AGE\na {6}2 {6}\d+s\n$/);
    expect(rows(await k().run('get cm a -o wide'))[0]).toEqual(['NAME', 'DATA', 'AGE']);
    expect(await k().run('get cm a -o name')).toBe('configmap/a\n');
    expect(await k().run("get cm a -o jsonpath='{.data.x}'")).toBe('1');
    expect(await k().run('get cm a -o custom-columns=N:.metadata.name,X:.data.x')).toMatch(/^N +X\na +1\n$/);
    expect(await k().run('get cm a -o yaml')).toContain('data:\n  x: "1"\n  "y": "2"\nkind: ConfigMap\n');
    expect((await k().json('get cm a')).data).toEqual({ x: '1', y: '2' });
    expect(await k().run('delete cm a')).toBe('configmap "a" deleted\n');
    expect(await k().refused('get cm a')).toMatchObject({
      code: 1,
      stderr: 'Error from server (NotFound): configmaps "a" not found\n',
    });
    expect(await k().run('get cm a --ignore-not-found')).toBe('');
  });

  test('a second create is refused', async () => {
    await k().run('create ns twice');
    expect((await k().refused('create ns twice')).stderr).toBe(
      'Error from server (AlreadyExists): namespaces "twice" already exists\n',
    );
  });

  test('lists: all namespaces, selectors, sorting', async () => {
    const n = '-n lists';
    await k().run('create ns lists');
    for (const [name, tier] of [
      ['c', 'web'],
      ['a', 'db'],
      ['b', 'web'],
    ]) {
      await k().run(`create secret generic ${name} ${n} --from-literal=k=${name}`);
      await k().run(`label secret ${name} ${n} tier=${tier}`);
    }
    const names = async (line: string) =>
      (await k().run(`get secret ${n} -o name ${line}`)).split('\n').filter(Boolean);
    expect(await names('')).toEqual(['secret/a', 'secret/b', 'secret/c']);
    expect(await names('-l tier=web')).toEqual(['secret/b', 'secret/c']);
    expect(await names("-l 'tier in (db,x)'")).toEqual(['secret/a']);
    expect(await names('-l tier!=web')).toEqual(['secret/a']);
    expect(await names('-l nope')).toEqual([]);
    expect(await names('--field-selector=metadata.name=b')).toEqual(['secret/b']);
    expect(await names('--field-selector=metadata.name!=b')).toEqual(['secret/a', 'secret/c']);
    expect(await names('--chunk-size=1')).toEqual(['secret/a', 'secret/b', 'secret/c']);
    expect(rows(await k().run(`get secret ${n} --sort-by=.data.k --no-headers`)).map((row) => row[0])).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(rows(await k().run(`get secret ${n} -L tier --show-labels`))[1]).toEqual([
      'a',
      'Opaque',
      '1',
      expect.any(String),
      'db',
      'tier=db',
    ]);
    expect(rows(await k().run('get secret -A')).filter((row) => row[0] === 'lists')).toHaveLength(3);
    expect((await k().outcome('get secret -n nowhere')).stderr).toBe('No resources found in nowhere namespace.\n');
  });

  test('label and annotate: set, refuse to overwrite, take off', async () => {
    await k().run('create cm marked');
    expect(await k().run('label cm marked a=b')).toBe('configmap/marked labeled\n');
    expect((await k().refused('label cm marked a=c')).stderr).toContain(
      "'a' already has a value (b), and --overwrite is false",
    );
    expect(await k().run('label cm marked a=c --overwrite')).toBe('configmap/marked labeled\n');
    expect(await k().run('label cm marked a=c')).toBe('configmap/marked not labeled\n');
    expect(await k().run('annotate cm marked note="two words"')).toBe('configmap/marked annotated\n');
    expect((await k().json('get cm marked')).metadata).toMatchObject({
      labels: { a: 'c' },
      annotations: { note: 'two words' },
    });
    expect(await k().run('label cm marked a-')).toBe('configmap/marked unlabeled\n');
    expect(await k().run('annotate cm marked note-')).toBe('configmap/marked annotated\n');
    const { metadata } = await k().json('get cm marked');
    expect([metadata.labels, metadata.annotations]).toEqual([undefined, undefined]);
  });

  test('patch: strategic, merge, JSON', async () => {
    await k().run('create cm patched --from-literal=a=1');
    expect(await k().run(`patch cm patched -p '{"data":{"b":"2"}}'`)).toBe('configmap/patched patched\n');
    expect(await k().run(`patch cm patched --type=merge -p '{"data":{"a":null}}'`)).toBe('configmap/patched patched\n');
    expect(await k().run(`patch cm patched --type=json -p '[{"op":"add","path":"/data/c","value":"3"}]'`)).toBe(
      'configmap/patched patched\n',
    );
    expect((await k().json('get cm patched')).data).toEqual({ b: '2', c: '3' });
    expect(await k().run(`patch cm patched -p '{"data":{"b":"2"}}'`)).toBe('configmap/patched patched (no change)\n');
    expect((await k().refused(`patch cm nope -p '{}'`)).stderr).toBe(
      'Error from server (NotFound): configmaps "nope" not found\n',
    );
    expect(
      (await k().refused(`patch cm patched --type=json -p '[{"op":"test","path":"/data/b","value":"9"}]'`)).code,
    ).toBe(1);
  });

  test('secrets of three types', async () => {
    await k().run('create secret generic s --from-literal=user=me');
    expect(rows(await k().run('get secret s'))[1]).toEqual(['s', 'Opaque', '1', expect.any(String)]);
    expect(await k().field('secret s', 'data.user')).toBe(Buffer.from('me').toString('base64'));
    await k().run('create secret docker-registry d --docker-username=u --docker-password=p --docker-server=h');
    expect(await k().field('secret d', 'type')).toBe('kubernetes.io/dockerconfigjson');
    expect(await k().run('describe secret s')).toContain('user:  2 bytes');
  });

  test('dry runs change nothing', async () => {
    expect(await k().run('create cm dry --dry-run=client')).toBe('configmap/dry created (dry run)\n');
    expect(await k().run('create cm dry --dry-run=server')).toBe('configmap/dry created (server dry run)\n');
    expect((await k().refused('get cm dry')).code).toBe(1);
    await k().run('create cm wet --from-literal=a=1');
    const before = await k().field('cm wet', 'metadata.resourceVersion');
    expect(await k().run('label cm wet a=b --dry-run=server')).toBe('configmap/wet labeled (server dry run)\n');
    expect(await k().run('delete cm wet --dry-run=server')).toBe('configmap "wet" deleted (server dry run)\n');
    expect(await k().field('cm wet', 'metadata.resourceVersion')).toBe(before);
  });

  test('delete: several, by label, all, with grace and without waiting', async () => {
    const n = '-n deletes';
    await k().run('create ns deletes');
    for (const name of ['a', 'b', 'c', 'd', 'e']) await k().run(`create secret generic ${name} ${n}`);
    expect(await k().run(`delete secret a b ${n}`)).toBe('secret "a" deleted\nsecret "b" deleted\n');
    await k().run(`label secret c x=y ${n}`);
    expect(await k().run(`delete secret -l x=y ${n} --wait=false`)).toBe('secret "c" deleted\n');
    expect(await k().run(`delete secret d --now ${n}`)).toBe('secret "d" deleted\n');
    expect((await k().refused(`delete secret d ${n}`)).stderr).toBe(
      'Error from server (NotFound): secrets "d" not found\n',
    );
    expect(await k().run(`delete secret --all ${n}`)).toContain('secret "e" deleted\n');
    expect(await k().run(`get secret ${n} -o name`)).toBe('');
  });

  test('a finalizer holds an object until it is taken off', async () => {
    await k().run('create cm held');
    await k().run(`patch cm held --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'`);
    expect(await k().run('delete cm held --wait=false')).toBe('configmap "held" deleted\n');
    expect(await k().field('cm held', 'metadata.deletionTimestamp')).toMatch(/^\d{4}-/);
    await k().run(`patch cm held --type=merge -p '{"metadata":{"finalizers":null}}'`);
    expect((await k().refused('get cm held')).code).toBe(1);
  });

  test('get -w follows', async () => {
    const watch = k().start('get cm -n watched -w --no-headers');
    await k().run('create ns watched');
    await k().run('create cm one -n watched');
    await watch.until((out) => out.includes('one'));
    await k().run('label cm one -n watched a=b');
    await k().run('delete cm one -n watched');
    await watch.until((out) => out.split('\n').filter((line) => line.startsWith('one ')).length === 3);
    await watch.stop();
    const events = k().start('get cm -n watched -w --output-watch-events --no-headers');
    await k().run('create cm two -n watched');
    await events.until((out) => /^ADDED +two /m.test(out));
    await k().run('delete cm two -n watched');
    await events.until((out) => /^DELETED +two /m.test(out));
    await events.stop();
  });

  test('wait for conditions, fields, creation and deletion', async () => {
    await k().run('create ns waits');
    expect(await k().run("wait ns/waits --for=jsonpath='{.status.phase}'=Active --timeout=5s")).toBe(
      'namespace/waits condition met\n',
    );
    await k().run('create cm w -n waits');
    const gone = k().start('wait cm/w -n waits --for=delete --timeout=10s');
    await k().run('delete cm w -n waits');
    await gone.ended;
    expect([gone.code, gone.stdout]).toEqual([0, expect.stringMatching(/configmap\/w condition met|^$/)]);
    const late = await k().refused("wait ns/waits --for=jsonpath='{.status.phase}'=Never --timeout=1s");
    expect(late.stderr).toContain('timed out waiting for the condition on namespaces/waits');
  });
});
