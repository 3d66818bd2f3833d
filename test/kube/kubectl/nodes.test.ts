import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

const NODE = `apiVersion: v1
kind: Node
metadata:
  name: n1
  labels: {node-role.kubernetes.io/worker: ""}
`;

describeKubectl('kubectl: nodes', (k) => {
  test('taint, cordon, uncordon, drain of an empty node', async () => {
    await k().run('create -f -', { stdin: NODE });
    expect(rows(await k().run('get nodes'))[1]?.slice(0, 3)).toEqual(['n1', 'Unknown', 'worker']);
    expect(await k().run('taint node n1 k=v:NoSchedule')).toBe('node/n1 tainted\n');
    expect((await k().json('get node n1')).spec.taints).toContainEqual({ key: 'k', value: 'v', effect: 'NoSchedule' });
    expect(await k().run('taint node n1 k-')).toBe('node/n1 untainted\n');
    expect((await k().refused('taint node n1 k=v:Nonsense')).stderr).toContain('invalid taint effect');
    expect(await k().run('cordon n1')).toBe('node/n1 cordoned\n');
    expect(await k().run('cordon n1')).toBe('node/n1 already cordoned\n');
    expect(rows(await k().run('get nodes'))[1]?.[1]).toBe('Unknown,SchedulingDisabled');
    expect(await k().run('uncordon n1')).toBe('node/n1 uncordoned\n');
    expect(await k().run('drain n1')).toBe('node/n1 cordoned\nnode/n1 drained\n');
    expect(await k().run('describe node n1')).toMatch(/^Unschedulable: +true$/m);
  });

  test('a pod is bound once; drain evicts it as its budget allows', async () => {
    await k().run('create -f -', { stdin: NODE.replaceAll('n1', 'n2') });
    await k().run('run bare --image=x --labels=app=bare');
    const bind = (node: string) =>
      k().outcome('create --raw /api/v1/namespaces/default/pods/bare/binding -f -', {
        stdin: JSON.stringify({
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'bare' },
          target: { kind: 'Node', name: node },
        }),
      });
    expect((await bind('n2')).code).toBe(0);
    expect(await k().field('pod bare', 'spec.nodeName')).toBe('n2');
    expect(await k().field('pod bare', 'status.conditions[?(@.type=="PodScheduled")].status')).toBe('True');
    expect((await bind('n3')).stderr).toContain('pod bare is already assigned to node "n2"');
    expect(rows(await k().run('get pods --field-selector=spec.nodeName=n2 --no-headers'))[0]?.[0]).toBe('bare');
    expect((await k().refused('drain n2')).stderr).toContain(
      'cannot delete cannot delete Pods that declare no controller',
    );
    await k().run(
      `patch pod bare --subresource=status --type=merge -p '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'`,
    );
    await k().run('create pdb keep --selector=app=bare --min-available=1');
    // What the keeper of budgets would find; without it the server asks clients to come again in 10 s.
    const status = {
      observedGeneration: 1,
      expectedPods: 1,
      desiredHealthy: 1,
      currentHealthy: 1,
      disruptionsAllowed: 0,
    };
    await k().run(`patch pdb keep --subresource=status --type=merge -p '${JSON.stringify({ status })}'`);
    const held = await k().refused('drain n2 --force --timeout=1s');
    expect(held.stderr).toMatch(
      /Cannot evict pod as it would violate the pod's disruption budget|global timeout reached/,
    );
    await k().run('delete pdb keep');
    const drained = k().start('drain n2 --force --grace-period=0 --timeout=20s');
    await drained.ended;
    expect([drained.code, drained.stdout]).toEqual([0, expect.stringContaining('pod/bare evicted')]);
  });
});
