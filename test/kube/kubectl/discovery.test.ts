import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

describeKubectl('kubectl: what there is', (k) => {
  test('version, cluster-info, config', async () => {
    const { code, stdout, stderr } = await k().outcome('version');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Server Version: v1\.\d+\.\d+/m);
    expect(await k().run('cluster-info')).toContain(`is running at`);
    expect(await k().run('config current-context')).toBe('keel\n');
    expect(await k().run('config view')).toContain(`server: ${k().plane.kube.url}`);
    await k().run('config set-context --current --namespace=kube-system');
    expect(await k().run('get cm extension-apiserver-authentication -o name')).toBe(
      'configmap/extension-apiserver-authentication\n',
    );
    await k().run('config set-context --current --namespace=default');
  });

  test('api-resources and api-versions', async () => {
    const table = rows(await k().run('api-resources --no-headers'));
    const names = table.map((row) => row[0]);
    for (const name of [
      'pods',
      'nodes',
      'deployments',
      'jobs',
      'roles',
      'ingresses',
      'leases',
      'customresourcedefinitions',
      'apiservices',
    ]) {
      expect(names).toContain(name);
    }
    expect(await k().run('api-resources')).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect((await k().run('api-resources --namespaced=false -o name')).split('\n')).toContain('nodes');
    expect((await k().run('api-resources --api-group=batch -o name')).split('\n').sort()).toEqual([
      '',
      'cronjobs.batch',
      'jobs.batch',
    ]);
    const versions = (await k().run('api-versions')).trim().split('\n');
    for (const version of [
      'v1',
      'apps/v1',
      'batch/v1',
      'autoscaling/v1',
      'autoscaling/v2',
      'policy/v1',
      'rbac.authorization.k8s.io/v1',
    ]) {
      expect(versions).toContain(version);
    }
  });

  test('explain', async () => {
    const text = await k().run('explain pod.spec.containers');
    expect(text).toMatch(/^KIND: +Pod$/m);
    expect(text).toMatch(/^FIELD: containers <\[\]Container>$/m);
    expect(text).toMatch(/^ {2}image\t<string>$/m);
    expect(await k().run('explain deployment.spec.replicas')).toMatch(/FIELD: replicas <integer>/);
    expect(await k().run('explain cm --recursive')).toMatch(/^ {2}data\t<map\[string\]string>$/m);
    expect((await k().refused('explain pod.nope')).stderr).toContain('field "nope" does not exist');
  });

  test('raw paths', async () => {
    expect(await k().run('get --raw /readyz')).toBe('ok');
    expect(JSON.parse(await k().run('get --raw /apis/apps/v1')).kind).toBe('APIResourceList');
    expect(await k().run('get --raw /metrics')).toContain('apiserver_request_total');
    expect((await k().refused('get --raw /nope')).stderr).toContain('the server could not find the requested resource');
  });

  test('kinds that are not there', async () => {
    expect((await k().refused('get widgets')).stderr).toBe(
      'error: the server doesn\'t have a resource type "widgets"\n',
    );
    expect((await k().refused('top nodes')).stderr).toContain('Metrics API not available');
  });

  test('the objects of the first moment', async () => {
    expect(await k().run('get ns -o name')).toBe(
      'namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n',
    );
    expect(rows(await k().run('get svc kubernetes'))[1]?.slice(0, 5)).toEqual([
      'kubernetes',
      'ClusterIP',
      '10.96.0.1',
      '<none>',
      '443/TCP',
    ]);
    const port = new URL(k().plane.kube.url).port;
    expect(rows(await k().run('get endpoints kubernetes'))[1]?.[1]).toBe(`127.0.0.1:${port}`);
    expect(rows(await k().run('get endpointslice kubernetes'))[1]?.slice(1, 4)).toEqual(['IPv4', port, '127.0.0.1']);
    expect((await k().run('get pc -o name')).split('\n')).toContain(
      'priorityclass.scheduling.k8s.io/system-node-critical',
    );
    expect(await k().run('get sa default -o name')).toBe('serviceaccount/default\n');
    expect(await k().run('describe ns default')).toMatch(/^Status: +Active$/m);
  });
});
