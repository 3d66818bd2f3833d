/** The real kubectl reads our discovery and OpenAPI documents, and sends bodies that we read. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { builtinKindList } from '../../../src/kube/kinds/index.js';
import type { FieldValidation } from '../../../src/kube/machinery/accept.js';
import { readObject } from '../../../src/kube/machinery/accept.js';
import { ApiError } from '../../../src/kube/machinery/api-error.js';
import { Discovery } from '../../../src/kube/machinery/discovery.js';
import type { KubeDocument } from '../../../src/kube/machinery/document.js';
import type { JsonObject, KubeObject } from '../../../src/kube/machinery/object.js';
import { apiVersionOf } from '../../../src/kube/machinery/object.js';
import { OpenApi } from '../../../src/kube/machinery/openapi.js';
import type { ServedKind } from '../../../src/kube/machinery/served-kind.js';
import { pathOf } from '../../../src/kube/machinery/served-kind.js';
import { applyStrategicPatch } from '../../../src/kube/machinery/strategic-patch.js';
import { kubectl } from './kubectl-local.js';
import { widgets } from './served.js';

const WIDGET = {
  type: 'object',
  description: 'A thing to turn.',
  properties: { spec: { type: 'object', properties: { size: { type: 'integer', description: 'How large it is.' } } } },
};
const KINDS: readonly ServedKind[] = [...builtinKindList(), widgets(WIDGET)];

/** Kinds that are explained whole. */
const WHOLE = ['Pod', 'CustomResourceDefinition', 'HorizontalPodAutoscaler', 'Ingress', 'Widget'];

const discovery = new Discovery(KINDS);
const openapi = new OpenApi('v1.32.0');
openapi.serve(KINDS);

/** Just enough of a server: documents, and objects that are kept by their path. */
class Stub {
  readonly objects = new Map<string, KubeObject>();
  readonly sent: { method: string; path: string; type: string; body: Buffer }[] = [];
  readonly server: Server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const type = request.headers['content-type'] ?? '';
    const body = Buffer.concat(chunks);
    if (request.method !== 'GET') this.sent.push({ method: request.method ?? '', path: url.pathname, type, body });
    try {
      this.#answer(response, this.#route(request, url, body));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      response.writeHead(error.code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(error.toStatus()));
    }
  }

  #answer(response: ServerResponse, answer: { body: Buffer; type?: string }): void {
    response.writeHead(200, { 'content-type': answer.type ?? 'application/json' });
    response.end(answer.body);
  }

  #route(request: IncomingMessage, url: URL, body: Buffer): { body: Buffer; type?: string } {
    const path = url.pathname;
    const aggregated = (request.headers.accept ?? '').includes('as=APIGroupDiscoveryList');
    if (path === '/version') return { body: Buffer.from('{"major":"1","minor":"32","gitVersion":"v1.32.0"}') };
    if (path === '/api' || path === '/apis') {
      if (aggregated) {
        const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
        return { body: discovery.aggregated(path === '/api', 'v2').body, type };
      }
      return path === '/api' ? discovery.coreVersions('localhost') : discovery.groupList();
    }
    if (path === '/openapi/v3') return openapi.index();
    if (path.startsWith('/openapi/v3/')) return found(openapi.document(path.slice('/openapi/v3/'.length)));
    return { body: Buffer.from(JSON.stringify(this.#object(request, url, body))) };
  }

  #object(request: IncomingMessage, url: URL, body: Buffer): KubeObject {
    const [, root, kind, name = ''] = resourceAt(url.pathname);
    const strict = (url.searchParams.get('fieldValidation') ?? 'Warn') as FieldValidation;
    if (request.method === 'POST') {
      const object = readObject(body, request.headers['content-type'], kind, strict, () => {});
      this.objects.set(`${root}/${object.metadata.name}`, object);
      return object;
    }
    const current = this.objects.get(`${root}/${name}`);
    if (current === undefined) throw new ApiError(404, 'NotFound', `${kind.plural} "${name}" not found`, { name });
    if (request.method !== 'PATCH') return current;
    const patched = applyStrategicPatch(kind.schema, current as JsonObject, JSON.parse(body.toString()));
    this.objects.set(`${root}/${name}`, patched as KubeObject);
    return patched as KubeObject;
  }
}

function found(document: KubeDocument | undefined): KubeDocument {
  if (document === undefined) throw new ApiError(404, 'NotFound', 'no such document');
  return document;
}

function resourceAt(path: string): [string, string, ServedKind, string | undefined] {
  const roots = KINDS.map((kind) => {
    const scope = kind.namespaced ? 'namespaces/default/' : '';
    return { kind, root: `/${pathOf(kind)}/${scope}${kind.plural}` };
  });
  const fitting = roots.filter(({ root }) => path === root || path.startsWith(`${root}/`));
  // Every namespaced path is below that of a namespace.
  const [best] = fitting.sort((a, b) => b.root.length - a.root.length);
  if (best === undefined) throw new ApiError(404, 'NotFound', `the server could not find ${path}`);
  return [path, best.root, best.kind, path.slice(best.root.length + 1)];
}

describe.skipIf(kubectl === undefined)('the real kubectl (needs KEEL_TEST_KUBECTL_BIN)', () => {
  const stub = new Stub();
  const folder = mkdtempSync(join(tmpdir(), 'keel-kubectl-'));
  let address = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => stub.server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(stub.server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    stub.server.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    stub.objects.clear();
    stub.sent.length = 0;
  });

  function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const all = ['--kubeconfig=/dev/null', '-s', address, `--cache-dir=${folder}/cache`, ...args];
    return new Promise((resolve) => {
      execFile(kubectl ?? '', all, { env: { HOME: folder, PATH: '/usr/bin' } }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      });
    });
  }

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  const DEPLOYMENT = (image: string, extra = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  ${extra}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: one, image: "${image}", ports: [{containerPort: 80}]}
      - {name: two, image: two}
`;

  test('lists what is served', async () => {
    const { out } = await run('api-resources', '--no-headers');
    expect(out).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(out).toMatch(/^widgets +example.com\/v1 +true +Widget$/m);
    expect((await run('api-versions')).out.split('\n')).toEqual(
      expect.arrayContaining(['v1', 'apps/v1', 'autoscaling/v2']),
    );
  });

  test('explains', async () => {
    const { out, err } = await run('explain', 'deployment.spec.template.spec.containers', '--recursive');
    expect(err).toBe('');
    expect(out).toContain('GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n');
    expect(out).toContain('FIELD: containers <[]Container>');
    expect(out).toMatch(/^ {2}name\t<string> -required-$/m);
    expect(out).toMatch(/limits\t<map\[string\]Quantity>/);
    expect(out).toMatch(/port\t<IntOrString> -required-/);
    expect((await run('explain', 'hpa')).out).toContain('VERSION:    v2');
    expect((await run('explain', 'widgets.spec.size')).out).toContain('How large it is.');
    const { out: schema, err: none } = await run('explain', 'crd.spec.versions.schema.openAPIV3Schema');
    expect(none).toBe('');
    expect(schema).toContain('FIELD: openAPIV3Schema <JSONSchemaProps>');
    expect(schema).toMatch(/default\t<JSON>/);
    for (const kind of KINDS.filter((kind) => WHOLE.includes(kind.kind))) {
      const name = kind.plural;
      const whole = await run('explain', name, `--api-version=${apiVersionOf(kind)}`, '--recursive');
      expect(whole, name).toMatchObject({ code: 0, err: '' });
    }
  });

  test('create -f asks for strict validation and prints what we tell it', async () => {
    const path = file('bad.yaml', DEPLOYMENT('a', 'replica: 3'));
    const { code, err } = await run('create', '-f', path);
    expect(code).toBe(1);
    expect(err).toContain('strict decoding error: unknown field "spec.replica"');
    expect((await run('create', '-f', file('good.yaml', DEPLOYMENT('a')))).out).toBe('deployment.apps/web created\n');
  });

  test('apply computes strategic patches from our schemas, without a warning', async () => {
    const first = await run('apply', '-f', file('a.yaml', DEPLOYMENT('a')));
    expect(first).toEqual({ code: 0, out: 'deployment.apps/web created\n', err: '' });
    const second = await run('apply', '-f', file('b.yaml', DEPLOYMENT('b', 'replicas: 0')));
    expect(second).toEqual({ code: 0, out: 'deployment.apps/web configured\n', err: '' });
    const patch = stub.sent[stub.sent.length - 1];
    expect(patch?.type).toBe('application/strategic-merge-patch+json');
    expect(JSON.parse(patch?.body.toString() ?? '')).toMatchObject({
      spec: {
        replicas: 0,
        template: {
          spec: { '$setElementOrder/containers': [{ name: 'one' }, { name: 'two' }] },
        },
      },
    });
    const object = stub.objects.get('/apis/apps/v1/namespaces/default/deployments/web');
    expect(object?.spec).toMatchObject({ template: { spec: { containers: [{ image: 'b' }, { image: 'two' }] } } });
  });

  test('create deployment sends protobuf, and we read it', async () => {
    const { out, err } = await run('create', 'deployment', 'web', '--image=nginx', '--port=80', '--replicas=3');
    expect({ out, err }).toEqual({ out: 'deployment.apps/web created\n', err: '' });
    expect(stub.sent[0]?.type).toBe('application/vnd.kubernetes.protobuf');
    expect(stub.objects.get('/apis/apps/v1/namespaces/default/deployments/web')).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] },
        },
      },
    });
    const config = await run('create', 'configmap', 'c', '--from-literal=a=1');
    expect(config.out).toBe('configmap/c created\n');
    expect(stub.objects.get('/api/v1/namespaces/default/configmaps/c')).toMatchObject({ data: { a: '1' } });
  });

  test.each([
    ['deployment', 'd', '--image=a', '--image=b'],
    ['job', 'j', '--image=a', '--', 'sh', '-c', 'true'],
    ['cronjob', 'c', '--image=a', '--schedule=* * * * *', '--restart=Never'],
    ['namespace', 'n'],
    ['configmap', 'c', '--from-literal=a=1', '--from-literal=b='],
    ['secret', 'generic', 's', '--from-literal=a=1', '--type=x/y'],
    ['secret', 'docker-registry', 's', '--docker-username=u', '--docker-password=p'],
    ['serviceaccount', 's'],
    ['role', 'r', '--verb=get,list', '--resource=pods,deployments.apps', '--resource-name=x'],
    ['clusterrole', 'r', '--verb=get', '--non-resource-url=/metrics'],
    ['clusterrole', 'r', '--aggregation-rule=a=b'],
    ['rolebinding', 'r', '--clusterrole=view', '--user=u', '--group=g', '--serviceaccount=default:s'],
    ['clusterrolebinding', 'r', '--clusterrole=view', '--user=u'],
    ['service', 'clusterip', 's', '--tcp=80:8080'],
    ['service', 'clusterip', 's', '--clusterip=None'],
    ['service', 'nodeport', 's', '--tcp=80', '--node-port=30001'],
    ['service', 'loadbalancer', 's', '--tcp=80:http'],
    ['service', 'externalname', 's', '--external-name=example.com'],
    ['ingress', 'i', '--class=c', '--rule=a.example.com/x*=svc:80,tls=t', '--default-backend=svc:http'],
    ['quota', 'q', '--hard=cpu=1,memory=1024Mi,pods=2', '--scopes=BestEffort'],
    ['poddisruptionbudget', 'p', '--selector=a=b', '--min-available=50%'],
    ['priorityclass', 'p', '--value=-5', '--description=d', '--preemption-policy=Never'],
  ])('create %s %s: the protobuf that it sends is the JSON that it would send', async (...args) => {
    const whole = await run('create', ...args);
    expect(whole.err).toBe('');
    const sent = stub.sent[0];
    expect(sent?.type).toBe('application/vnd.kubernetes.protobuf');
    const [, , kind] = resourceAt(sent?.path ?? '');
    const at = args.indexOf('--');
    const flags = ['--dry-run=client', '--validate=false', '-o', 'json'];
    const before = at < 0 ? args : args.slice(0, at);
    const json = await run('create', ...before, ...flags, ...(at < 0 ? [] : args.slice(at)));
    const read = (body: Buffer, type: string) => readObject(body, type, kind, 'Strict', () => {});
    const expected = read(Buffer.from(json.out), 'application/json');
    delete expected.metadata.namespace;
    expect(read(sent?.body ?? Buffer.alloc(0), sent?.type ?? '')).toEqual(expected);
  });
});
