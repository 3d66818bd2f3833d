import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKubectl } from '../support/kubectl.js';
import { patching, WebhookServer } from '../support/webhook-server.js';

describeKubectl('kubectl: admission', (k) => {
  let hook: WebhookServer;
  beforeAll(async () => {
    hook = await WebhookServer.start();
  });
  afterAll(() => hook.stop());

  const webhook = (kind: 'Mutating' | 'Validating', name: string, more = '') => `
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}WebhookConfiguration
metadata: {name: ${name}}
webhooks:
- name: ${name}.example.com
  clientConfig: {url: "${hook.url()}", caBundle: ${hook.caBundle}}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]
  sideEffects: None
  admissionReviewVersions: [v1]
  namespaceSelector: {matchLabels: {mesh: "on"}}
${more}`;

  test('a pod gets its account, its token and the time it stays on a lost node', async () => {
    await k().run('run p --image=x');
    const { spec } = await k().json('get pod p');
    expect(spec.serviceAccountName).toBe('default');
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: spec.volumes[0].name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ]);
    expect(spec.tolerations.map((t: any) => t.tolerationSeconds)).toEqual([300, 300]);
    const overrides = (text: string) => `run q --image=x --overrides='{"spec":${text}}'`;
    expect((await k().refused(overrides('{"serviceAccountName":"x"}'))).stderr).toBe(
      'Error from server (Forbidden): pods "q" is forbidden: error looking up service account default/x: serviceaccount "x" not found\n',
    );
    expect((await k().refused(overrides('{"priorityClassName":"x"}'))).stderr).toBe(
      'Error from server (Forbidden): pods "q" is forbidden: no PriorityClass with name x was found\n',
    );
  });

  test('a namespace goes with its pods; some stay', async () => {
    await k().run('create ns doomed');
    await k().run('run p --image=x -n doomed');
    expect(await k().run('delete ns doomed')).toBe('namespace "doomed" deleted\n');
    expect((await k().refused('get pod p -n doomed')).stderr).toContain('NotFound');
    expect((await k().refused('run p --image=x -n doomed')).stderr).toBe(
      'Error from server (NotFound): namespaces "doomed" not found\n',
    );
    expect((await k().refused('delete ns default')).stderr).toBe(
      'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
    );
  });

  test('a quota and limits', async () => {
    await k().run('create ns tight');
    await k().run('create quota q --hard=pods=1 -n tight');
    await k().run('run a --image=x -n tight');
    expect((await k().refused('run b --image=x -n tight')).stderr).toBe(
      'Error from server (Forbidden): pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1\n',
    );
    expect(await k().run('describe quota q -n tight')).toMatch(/^pods +1 +1$/m);
    const limits = k().file(
      'limits.yaml',
      'apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, max: {cpu: "1"}}]}\n',
    );
    await k().run(`apply -n kube-public -f ${limits}`);
    const resources = '{"spec":{"containers":[{"name":"b","image":"x","resources":{"limits":{"cpu":"2"}}}]}}';
    expect((await k().refused(`run b --image=x -n kube-public --overrides='${resources}'`)).stderr).toBe(
      'Error from server (Forbidden): pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2\n',
    );
  });

  test('webhooks inject a sidecar and refuse', async () => {
    await k().run('create ns mesh');
    await k().run('label ns mesh mesh=on');
    await k().run('apply -f -', { stdin: webhook('Mutating', 'envoy') });
    hook.answer = ({ operation }) =>
      operation === 'CREATE'
        ? patching({ op: 'add', path: '/spec/containers/-', value: { name: 'envoy', image: 'envoy:1' } })
        : { allowed: false };
    await k().run('run p --image=x -n mesh');
    const { spec } = await k().json('get pod p -n mesh');
    expect(spec.containers.map((c: any) => [c.name, c.imagePullPolicy, c.volumeMounts.length])).toEqual([
      ['p', 'Always', 1],
      ['envoy', 'IfNotPresent', 1],
    ]);
    await k().run('delete mutatingwebhookconfiguration envoy');
    await k().run('apply -f -', { stdin: webhook('Validating', 'strict') });
    hook.answer = () => ({
      allowed: false,
      warnings: ['look out'],
      status: { code: 403, message: 'no', reason: 'Forbidden' },
    });
    const refused = await k().refused('run q --image=x -n mesh');
    expect(refused.stderr).toBe(
      'Warning: look out\nError from server (Forbidden): admission webhook "strict.example.com" denied the request: no\n',
    );
    await k().run('run q --image=x');
    expect((await k().refused('run q --image=x -n mesh --dry-run=server')).stderr).toContain('denied the request: no');
  });

  test('a Secret for a token is filled, and the token is an account', async () => {
    const secret = `
apiVersion: v1
kind: Secret
metadata: {name: old, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
`;
    await k().run('apply -f -', { stdin: secret });
    await k().run(`wait secret/old --for=jsonpath='{.data.token}' --timeout=10s`);
    const data = (await k().json('get secret old')).data;
    const token = Buffer.from(data.token, 'base64').toString();
    expect(Buffer.from(data['ca.crt'], 'base64').toString()).toContain('BEGIN CERTIFICATE');
    const fresh = (await k().run('create token default')).trim();
    for (const one of [token, fresh]) {
      const server = await k().run(`config view --minify -o 'jsonpath={.clusters[0].cluster.server}'`);
      const line = `--kubeconfig=/dev/null --server=${server} --insecure-skip-tls-verify --token=${one} auth whoami`;
      expect(await k().run(line)).toMatch(/^Username +system:serviceaccount:default:default$/m);
    }
  });
});
