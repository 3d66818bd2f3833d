import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

/** A request for a certificate that somebody else has to judge: nothing in it is looked at. */
function signingRequest(name: string): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }) as string)
    .toString()
    .replaceAll('PUBLIC KEY', 'CERTIFICATE REQUEST');
  return JSON.stringify({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: 'example.com/signer',
      usages: ['client auth'],
    },
  });
}

describeKubectl('kubectl: the rest of its commands', (k) => {
  const stdin = (text: string) => ({ stdin: text });

  test('certificate approve and deny', async () => {
    const made = await k().outcome('create -f -', stdin(signingRequest('a')));
    expect(made).toMatchObject({ code: 0 });
    await k().run('create -f -', stdin(signingRequest('b')));
    expect(rows(await k().run('get csr a'))[1]?.slice(2)).toEqual([
      'example.com/signer',
      'kubernetes-admin',
      '<none>',
      'Pending',
    ]);
    expect(await k().run('certificate approve a')).toContain(
      'certificatesigningrequest.certificates.k8s.io/a approved',
    );
    expect(await k().run('certificate deny b')).toContain('certificatesigningrequest.certificates.k8s.io/b denied');
    expect(rows(await k().run('get csr')).map((row) => row.at(-1))).toEqual(['CONDITION', 'Approved', 'Denied']);
  });

  test('auth reconcile', async () => {
    const role = (verb: string) =>
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reconciled, namespace: default}\nrules:\n- {apiGroups: [""], resources: [pods], verbs: [${verb}]}\n`;
    const reconcile = (text: string) => k().run(`auth reconcile -f ${k().file('role.yaml', text)}`);
    expect(await reconcile(role('get'))).toContain('reconciled');
    expect(await reconcile(role('list'))).toContain('reconciled');
    expect((await k().json('get role reconciled')).rules.flatMap((rule: any) => rule.verbs).sort()).toEqual([
      'get',
      'list',
    ]);
  });

  test('debug: a container joins a pod; a copy; a pod on a node', async () => {
    await k().run('run target --image=busybox');
    // It goes on to attach, which nobody answers yet: what matters is what it wrote before.
    await k().outcome('debug target --image=busybox -c joined --attach=false -- sh');
    expect(await k().field('pod target', 'spec.ephemeralContainers[0].name')).toBe('joined');
    await k().outcome('debug target --image=busybox --copy-to=copied --attach=false -- sh');
    expect(await k().run('get pod copied -o name')).toBe('pod/copied\n');
    const refused = await k().refused(
      `patch pod target --subresource=ephemeralcontainers --type=json -p '[{"op":"remove","path":"/spec/ephemeralContainers/0"}]'`,
    );
    expect(refused.stderr).toContain('existing ephemeral containers "joined" may not be removed');
  });

  test('events', async () => {
    const event = (name: string, reason: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace: 'default' },
        involvedObject: { kind: 'Pod', namespace: 'default', name: 'p', apiVersion: 'v1' },
        reason,
        message: `it ${reason}`,
        type: 'Normal',
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
        source: { component: 'test' },
      });
    await k().run('create -f -', stdin(event('e1', 'Started')));
    await k().run('create -f -', stdin(event('e2', 'Killed')));
    expect(rows(await k().run('get events --field-selector=reason=Started --no-headers'))[0]?.slice(1)).toEqual([
      'Normal',
      'Started',
      'pod/p',
      'it Started',
    ]);
    expect(await k().run('events')).toContain('it Killed');
    expect(await k().run('get events.events.k8s.io -o name')).toContain('event.events.k8s.io/e1\n');
  });

  test('rollout undo without revisions, status of sets, history of daemon sets', async () => {
    await k().run('create deployment undone --image=nginx');
    expect((await k().refused('rollout undo deploy/undone')).stderr).toContain('no rollout history found');
    const set = (kind: string, more: string) =>
      `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: s}\nspec:\n${more}  selector: {matchLabels: {a: s}}\n  template:\n    metadata: {labels: {a: s}}\n    spec: {containers: [{name: c, image: img}]}\n`;
    await k().run('create -f -', stdin(set('StatefulSet', '  serviceName: s\n')));
    await k().run('create -f -', stdin(set('DaemonSet', '')));
    await k().run('create -f -', stdin(set('ReplicaSet', '  replicas: 2\n')));
    expect(rows(await k().run('get sts'))[1]?.slice(0, 2)).toEqual(['s', '0/1']);
    expect(rows(await k().run('get ds'))[1]?.slice(0, 6)).toEqual(['s', '0', '0', '0', '0', '0']);
    expect(rows(await k().run('get rs s'))[1]?.slice(0, 4)).toEqual(['s', '2', '0', '0']);
    expect(await k().run('scale sts s --replicas=4')).toBe('statefulset.apps/s scaled\n');
    expect(await k().run('scale rs s --replicas=0')).toBe('replicaset.apps/s scaled\n');
    expect(await k().run('rollout restart ds/s')).toBe('daemonset.apps/s restarted\n');
  });

  test('status and scale as subresources', async () => {
    await k().run('create deployment sub --image=nginx');
    expect(await k().run("get deploy sub --subresource=scale -o jsonpath='{.kind} {.spec.replicas}'")).toBe('Scale 1');
    expect(rows(await k().run('get deploy sub --subresource=scale'))).toEqual([
      ['NAME', 'DESIRED', 'AVAILABLE', 'AGE'],
      ['sub', '1', '0', expect.any(String)],
    ]);
    await k().run(`patch deploy sub --subresource=scale --type=merge -p '{"spec":{"replicas":7}}'`);
    await k().run(
      `patch deploy sub --subresource=status --type=merge -p '{"status":{"replicas":2,"readyReplicas":2},"spec":{"replicas":99}}'`,
    );
    const { spec, status, metadata } = await k().json('get deploy sub');
    expect([spec.replicas, status.readyReplicas, metadata.generation]).toEqual([7, 2, 2]);
    expect(
      (await k().refused(`patch deploy sub --subresource=scale --type=merge -p '{"spec":{"replicas":-1}}'`)).stderr,
    ).toContain('must be greater than or equal to 0');
    await k().run(`patch deploy sub --type=merge -p '{"status":{"replicas":50}}'`);
    expect(await k().field('deploy sub', 'status.replicas')).toBe('2');
  });

  test('storage: classes, volumes, claims', async () => {
    await k().run(
      'create -f -',
      stdin(
        'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: example.com/p\n',
      ),
    );
    expect(rows(await k().run('get sc'))[1]?.slice(0, 5)).toEqual([
      'fast (default)',
      'example.com/p',
      'Delete',
      'Immediate',
      'false',
    ]);
    await k().run(
      'create -f -',
      stdin(
        'apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /data}}\n',
      ),
    );
    expect(rows(await k().run('get pv v --no-headers'))[0]?.slice(0, 5)).toEqual([
      'v',
      '1Gi',
      'RWO',
      'Retain',
      'Pending',
    ]);
    await k().run(
      'create -f -',
      stdin(
        'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n',
      ),
    );
    expect(await k().field('pvc c', 'spec.storageClassName')).toBe('fast');
    expect((await k().refused(`patch pv v --type=merge -p '{"spec":{"hostPath":{"path":"/other"}}}'`)).code).toBe(1);
    await k().run('delete pvc/c pv/v sc/fast');
  });

  test('create --raw, replace --raw, delete --raw; a proxy of kubectl', async () => {
    const map = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'raw' } });
    const path = '/api/v1/namespaces/default/configmaps';
    expect(JSON.parse(await k().run(`create --raw ${path} -f -`, stdin(map))).metadata.name).toBe('raw');
    expect(JSON.parse(await k().run(`replace --raw ${path}/raw -f -`, stdin(map))).metadata.name).toBe('raw');
    expect(JSON.parse(await k().run(`delete --raw ${path}/raw`)).status).toBe('Success');
    const proxy = k().start('proxy --port=0');
    await proxy.until((out) => /127\.0\.0\.1:\d+/.test(out));
    const port = /127\.0\.0\.1:(\d+)/.exec(proxy.stdout)?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}/readyz`)).text()).toBe('ok');
    await proxy.stop();
  });

  test('cluster-info dump', async () => {
    expect(await k().run('cluster-info dump -n default')).toContain('"kind": "DeploymentList"');
  });

  test('1,000 objects in pages and at once', async () => {
    await k().run('create ns many');
    const list = (from: number) =>
      Array.from(
        { length: 250 },
        (_, i) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s${from + i}, labels: {batch: "${from}"}}\n`,
      ).join('---\n');
    await Promise.all([0, 250, 500, 750].map((from) => k().run('create -n many -f -', stdin(list(from)))));
    expect((await k().run('get secret -n many -o name')).trim().split('\n')).toHaveLength(1000);
    expect((await k().run('get secret -n many -o name --chunk-size=0')).trim().split('\n')).toHaveLength(1000);
    expect(
      JSON.parse(await k().run("get --raw '/api/v1/namespaces/many/secrets?limit=1'")).metadata.remainingItemCount,
    ).toBe(999);
    expect(await k().run('delete secret -n many -l batch=0')).toContain('secret "s0" deleted');
    expect(JSON.parse(await k().run("delete --raw '/api/v1/namespaces/many/secrets'")).items).toHaveLength(750);
    await k().run('delete ns many');
  }, 120_000);
});
