import { expect, test } from 'vitest';
import { describeKubectl } from '../support/kubectl.js';

const MAP = (name: string, data: Record<string, string>, labels = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${labels === '' ? '' : `  labels: {${labels}}\n`}data:\n${Object.entries(
    data,
  )
    .map(([key, value]) => `  ${key}: "${value}"\n`)
    .join('')}`;

const DEPLOYMENT = (name: string, image: string, more = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: c
        image: ${image}
${more}`;

describeKubectl('kubectl: files', (k) => {
  const stdin = (text: string) => ({ stdin: text });

  test('create -f, replace, replace --force', async () => {
    const file = k().file('map.yaml', MAP('filed', { a: '1' }));
    expect(await k().run(`create -f ${file}`)).toBe('configmap/filed created\n');
    expect((await k().refused(`create -f ${file}`)).stderr).toContain(
      `Error from server (AlreadyExists): error when creating "${file}": configmaps "filed" already exists`,
    );
    k().file('map.yaml', MAP('filed', { b: '2' }));
    expect(await k().run(`replace -f ${file}`)).toBe('configmap/filed replaced\n');
    expect((await k().json('get cm filed')).data).toEqual({ b: '2' });
    const uid = await k().field('cm filed', 'metadata.uid');
    expect(await k().run(`replace --force -f ${file}`)).toBe('configmap "filed" deleted\nconfigmap/filed replaced\n');
    expect(await k().field('cm filed', 'metadata.uid')).not.toBe(uid);
    expect((await k().refused('replace -f -', stdin(MAP('nope', {})))).stderr).toContain('configmaps "nope" not found');
    expect(await k().run(`delete -f ${file}`)).toBe('configmap "filed" deleted\n');
  });

  test('apply: created, unchanged, configured; what left the file leaves the object, the rest stays', async () => {
    const apply = (text: string) => k().run('apply -f -', stdin(text));
    expect(await apply(MAP('applied', { a: '1', b: '2' }))).toBe('configmap/applied created\n');
    expect(await apply(MAP('applied', { a: '1', b: '2' }))).toBe('configmap/applied unchanged\n');
    await k().run('label cm applied foreign=yes');
    expect(await apply(MAP('applied', { a: '9' }))).toBe('configmap/applied configured\n');
    const { data, metadata } = await k().json('get cm applied');
    expect([data, metadata.labels]).toEqual([{ a: '9' }, { foreign: 'yes' }]);
    expect(metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']).toContain('"a":"9"');
  });

  test('apply of a Deployment merges its containers by name', async () => {
    await k().run(
      'apply -f -',
      stdin(DEPLOYMENT('merged', 'nginx:1', '        env: [{name: A, value: "1"}, {name: B, value: "2"}]\n')),
    );
    await k().run('set env deploy/merged EXTRA=x');
    await k().run('scale deploy merged --replicas=4');
    const text = DEPLOYMENT('merged', 'nginx:2', '        env: [{name: A, value: "1"}]\n').replace(
      '  replicas: 2\n',
      '',
    );
    expect(await k().run('apply -f -', stdin(text))).toBe('deployment.apps/merged configured\n');
    const { spec } = await k().json('get deploy merged');
    const [container] = spec.template.spec.containers;
    expect(container.image).toBe('nginx:2');
    expect(container.env).toEqual([
      { name: 'A', value: '1' },
      { name: 'EXTRA', value: 'x' },
    ]);
  });

  test('apply to what was not applied before warns once', async () => {
    await k().run('create cm plain --from-literal=a=1');
    const first = await k().outcome('apply -f -', stdin(MAP('plain', { a: '1' })));
    expect(first.stderr).toContain('is missing the kubectl.kubernetes.io/last-applied-configuration annotation');
    expect(first.stdout).toBe('configmap/plain configured\n');
    expect((await k().outcome('apply -f -', stdin(MAP('plain', { a: '1' })))).stderr).toBe('');
  });

  test('apply --prune takes away what is no longer in the files', async () => {
    const two = `${MAP('p1', { a: '1' }, 'set: p')}---\n${MAP('p2', { a: '1' }, 'set: p')}`;
    await k().run('apply -f - -l set=p', stdin(two));
    const out = await k().run(
      'apply -f - -l set=p --prune --prune-allowlist=core/v1/ConfigMap',
      stdin(MAP('p1', { a: '1' }, 'set: p')),
    );
    expect(out).toBe('configmap/p1 unchanged\nconfigmap/p2 pruned\n');
    expect(await k().run('get cm -l set=p -o name')).toBe('configmap/p1\n');
  });

  test('server-side apply: managers, conflicts, force', async () => {
    const apply = (text: string, flags: string) => k().outcome(`apply --server-side ${flags} -f -`, stdin(text));
    expect((await apply(MAP('ssa', { a: '1', b: '1' }), '')).stdout).toBe('configmap/ssa serverside-applied\n');
    expect((await apply(MAP('ssa', { c: '1' }), '--field-manager=other')).stdout).toBe(
      'configmap/ssa serverside-applied\n',
    );
    expect((await k().json('get cm ssa')).data).toEqual({ a: '1', b: '1', c: '1' });
    const lost = await apply(MAP('ssa', { a: '2' }), '--field-manager=other');
    expect(lost.code).toBe(1);
    expect(lost.stderr).toContain('error: Apply failed with 1 conflict: conflict with "kubectl": .data.a');
    expect((await apply(MAP('ssa', { a: '2' }), '--field-manager=other --force-conflicts')).code).toBe(0);
    expect((await k().json('get cm ssa')).data).toEqual({ a: '2', b: '1' });
    expect((await apply(MAP('ssa', { b: '1' }), '')).code).toBe(0);
    expect(
      (await k().json('get cm ssa --show-managed-fields')).metadata.managedFields.map((one: any) => one.manager).sort(),
    ).toEqual(['kubectl', 'other']);
  });

  test('server-side apply takes over what was applied by the client', async () => {
    await k().run('apply -f -', stdin(MAP('moved', { a: '1', b: '2' })));
    expect(await k().run('apply --server-side -f -', stdin(MAP('moved', { a: '2' })))).toBe(
      'configmap/moved serverside-applied\n',
    );
    expect((await k().json('get cm moved')).data).toEqual({ a: '2' });
  });

  test('diff tells by its status', async () => {
    await k().run('apply -f -', stdin(MAP('differs', { a: '1' })));
    expect((await k().outcome('diff -f -', stdin(MAP('differs', { a: '1' })))).code).toBe(0);
    const { code, stdout } = await k().outcome('diff -f -', stdin(MAP('differs', { a: '2' })));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^-\s+a: "1"$/m);
    expect(stdout).toMatch(/^\+\s+a: "2"$/m);
    expect((await k().outcome('diff --server-side -f -', stdin(MAP('new', { a: '2' })))).code).toBe(1);
    expect((await k().refused('get cm new')).code).toBe(1);
  });

  test('edit with a script for an editor', async () => {
    await k().run('create cm edited --from-literal=a=1');
    const editor = (script: string) => {
      const file = k().file('editor.sh', `sed -i '${script}' "$1"\n`);
      return { env: { KUBE_EDITOR: `sh ${file}` } };
    };
    expect(await k().run('edit cm edited', editor('s/a: "1"/a: "7"/'))).toBe('configmap/edited edited\n');
    expect(await k().field('cm edited', 'data.a')).toBe('7');
    expect((await k().outcome('edit cm edited', editor('s/nothing/else/'))).stderr).toContain(
      'Edit cancelled, no changes made.',
    );
  });

  test('what is wrong with a file', async () => {
    const refused = async (text: string, command = 'create') =>
      (await k().refused(`${command} -f -`, stdin(text))).stderr;
    expect(await refused(MAP('x', { a: '1' }).replace('\ndata:', '\ndate:'))).toBe(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "date"\n',
    );
    expect(await refused(DEPLOYMENT('x', 'img').replace('replicas: 2', 'replica: 2'))).toContain(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    );
    expect(await refused(MAP('Bad_Name', {}))).toBe(
      `The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n`,
    );
    expect(await refused('apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: x}\n')).toContain(
      'no matches for kind "CronJob" in version "batch/v1beta1"',
    );
    expect(await refused('apiVersion: v1\nkind: ConfigMap\n')).toBe(
      'The ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required\n',
    );
    expect(await refused(DEPLOYMENT('x', 'img').replace('app: x}}\n  template', 'app: z}}\n  template'))).toContain(
      '`selector` does not match template `labels`',
    );
    expect(
      await k().outcome('create --validate=false -f -', stdin(MAP('loose', { a: '1' }).replace('\ndata:', '\ndate:'))),
    ).toMatchObject({ code: 0 });
    const warned = await k().outcome(
      'create --validate=warn -f -',
      stdin(MAP('warned', { a: '1' }).replace('\ndata:', '\ndate:')),
    );
    expect([warned.code, warned.stderr]).toEqual([0, 'Warning: unknown field "date"\n']);
  });

  test('stale versions and immutable fields', async () => {
    await k().run('create cm stale --from-literal=a=1');
    const old = await k().run('get cm stale -o yaml');
    await k().run('label cm stale a=b');
    expect((await k().refused('replace -f -', stdin(old))).stderr).toContain(
      'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
    await k().run('create cm frozen --from-literal=a=1');
    await k().run(`patch cm frozen -p '{"immutable":true}'`);
    expect((await k().refused(`patch cm frozen -p '{"data":{"a":"2"}}'`)).stderr).toBe(
      'The ConfigMap "frozen" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
    );
  });
});
