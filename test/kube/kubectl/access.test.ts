import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

describeKubectl('kubectl: access', (k) => {
  test('whoami, can-i, --list', async () => {
    expect(rows(await k().run('auth whoami'))).toEqual([
      ['ATTRIBUTE', 'VALUE'],
      ['Username', 'kubernetes-admin'],
      ['Groups', '[system:masters system:authenticated]'],
    ]);
    expect(await k().run('auth can-i create pods')).toBe('yes\n');
    expect(await k().outcome('auth can-i get pods --as=bob')).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(await k().run('auth can-i --list')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    expect(await k().run('auth can-i --list --as=bob')).toMatch(
      /selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]/,
    );
    expect(await k().outcome('auth can-i get /healthz --as=bob')).toMatchObject({ code: 0 });
  });

  test('a role and its binding allow what they say and nothing else', async () => {
    await k().run('create role reader --verb=get,list --resource=pods,deployments.apps');
    await k().run('create rolebinding bob --role=reader --user=bob');
    expect(await k().run('auth can-i list pods --as=bob')).toBe('yes\n');
    expect(await k().outcome('auth can-i list pods --as=bob -n kube-system')).toMatchObject({ code: 1 });
    expect((await k().outcome('get pods --as=bob')).stderr).toBe('No resources found in default namespace.\n');
    expect((await k().refused('get cm --as=bob')).stderr).toBe(
      'Error from server (Forbidden): configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"\n',
    );
    expect((await k().refused('delete pod x --as=bob')).stderr).toBe(
      'Error from server (Forbidden): pods "x" is forbidden: User "bob" cannot delete resource "pods" in API group "" in the namespace "default"\n',
    );
    expect((await k().refused('get nodes --as=bob')).stderr).toContain(
      'cannot list resource "nodes" in API group "" at the cluster scope',
    );
    expect(rows(await k().run('get rolebinding bob -o wide'))[1]?.slice(0, 2)).toEqual(['bob', 'Role/reader']);
    expect(await k().run('describe role reader')).toMatch(/deployments\.apps +\[\] +\[\] +\[get list\]/);
    const refused = await k().refused('create rolebinding more --clusterrole=cluster-admin --user=bob --as=bob');
    expect(refused.stderr).toContain('cannot create resource "rolebindings"');
  });

  test('nobody hands out more than they hold', async () => {
    await k().run('create ns grants');
    await k().run(
      'create role granter -n grants --verb=get,create --resource=roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io',
    );
    await k().run('create rolebinding granter -n grants --role=granter --user=gus');
    expect((await k().refused('create role r -n grants --verb=get --resource=secrets --as=gus')).stderr).toContain(
      'is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    );
  });

  test('cluster roles: predefined, bound, gathered', async () => {
    const names = await k().run('get clusterroles -o name');
    for (const name of ['cluster-admin', 'admin', 'edit', 'view', 'system:discovery']) {
      expect(names).toContain(`clusterrole.rbac.authorization.k8s.io/${name}\n`);
    }
    await k().run('create clusterrole nodes --verb=get --resource=nodes');
    await k().run('create clusterrolebinding ann --clusterrole=nodes --user=ann');
    expect(await k().run('auth can-i get nodes --as=ann')).toBe('yes\n');
    await k().run('create clusterrolebinding viewer --clusterrole=view --user=vic');
    expect(await k().run('auth can-i list deployments.apps --as=vic')).toBe('yes\n');
    expect(await k().outcome('auth can-i get secrets --as=vic')).toMatchObject({ code: 1 });
    await k().run('create clusterrole widgets --verb=get --resource=nodes');
    await k().run('label clusterrole widgets rbac.authorization.k8s.io/aggregate-to-view=true');
    await expect.poll(async () => (await k().outcome('auth can-i get nodes --as=vic')).code, { timeout: 5000 }).toBe(0);
  });

  test('tokens of service accounts', async () => {
    await k().run('create ns tokens');
    await k().run('create sa robot -n tokens');
    const token = (await k().run('create token robot -n tokens --duration=10m')).trim();
    expect(token.split('.')).toHaveLength(3);
    const as = (line: string) => k().outcome(`${line} --kubeconfig=${config} `);
    const server = k().plane.kube.url;
    const ca = `${k().plane.dir}/data/pki/ca.crt`;
    const config = k().file(
      'robot.kubeconfig',
      `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "${server}", certificate-authority: ${ca}}}]\nusers: [{name: u, user: {token: ${token}}}]\ncontexts: [{name: x, context: {cluster: c, user: u, namespace: tokens}}]\ncurrent-context: x\n`,
    );
    expect((await as('auth whoami')).stdout).toContain('system:serviceaccount:tokens:robot');
    expect((await as('get cm')).stderr).toContain(
      'User "system:serviceaccount:tokens:robot" cannot list resource "configmaps"',
    );
    await k().run('create rolebinding robot -n tokens --clusterrole=edit --serviceaccount=tokens:robot');
    await expect.poll(async () => (await as('get cm')).code, { timeout: 5000 }).toBe(0);
    expect((await as('create cm mine')).stdout).toBe('configmap/mine created\n');
    await k().run('delete sa robot -n tokens');
    await expect
      .poll(async () => (await as('get cm')).stderr, { timeout: 5000 })
      .toContain('You must be logged in to the server');
  });

  test('another user by --as and --as-group', async () => {
    expect(await k().run('auth whoami --as=sue --as-group=dev')).toMatch(/sue[\s\S]*dev/);
  });
});
