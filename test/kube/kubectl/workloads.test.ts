import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

describeKubectl('kubectl: workloads', (k) => {
  test('create deployment, scale, autoscale, expose', async () => {
    expect(await k().run('create deployment web --image=nginx:1 --replicas=2 --port=80')).toBe(
      'deployment.apps/web created\n',
    );
    expect(rows(await k().run('get deploy'))).toEqual([
      ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
      ['web', '0/2', '0', '0', expect.any(String)],
    ]);
    expect(rows(await k().run('get deploy -o wide'))[1]?.slice(5)).toEqual(['nginx', 'nginx:1', 'app=web']);
    expect(await k().run('scale deploy web --replicas=5')).toBe('deployment.apps/web scaled\n');
    expect(await k().field('deploy web', 'spec.replicas')).toBe('5');
    expect(await k().run('scale deploy web --current-replicas=5 --replicas=3')).toBe('deployment.apps/web scaled\n');
    expect((await k().refused('scale deploy web --current-replicas=9 --replicas=1')).stderr).toContain(
      'Expected replicas to be 9, was 3',
    );
    expect(await k().field('deploy web', 'metadata.generation')).toBe('3');
    expect(await k().run('autoscale deploy web --min=1 --max=5 --cpu-percent=50')).toBe(
      'horizontalpodautoscaler.autoscaling/web autoscaled\n',
    );
    expect(rows(await k().run('get hpa'))[1]?.slice(0, 6)).toEqual([
      'web',
      'Deployment/web',
      'cpu: <unknown>/50%',
      '1',
      '5',
      '0',
    ]);
    expect(await k().run('expose deploy web --port=80 --target-port=8080 --type=NodePort')).toBe(
      'service/web exposed\n',
    );
    const [, row = []] = rows(await k().run('get svc web'));
    expect(row.slice(0, 2)).toEqual(['web', 'NodePort']);
    expect(row[2]).toMatch(/^10\.\d+\.\d+\.\d+$/);
    expect(row[4]).toMatch(/^80:3\d{4}\/TCP$/);
    expect(await k().run('describe svc web')).toMatch(/TargetPort: +8080\/TCP/);
    expect(await k().run('describe deploy web')).toMatch(/^Replicas: +3 desired/m);
    expect(await k().run('get all')).toMatch(
      /service\/web[\s\S]*deployment\.apps\/web[\s\S]*horizontalpodautoscaler\.autoscaling\/web/,
    );
  });

  test('set image, env, resources, serviceaccount, selector', async () => {
    await k().run('create deployment set --image=nginx:1');
    expect(await k().run('set image deploy/set nginx=nginx:2')).toBe('deployment.apps/set image updated\n');
    expect(await k().run('set env deploy/set A=1 B=2')).toBe('deployment.apps/set env updated\n');
    expect(await k().run('set env deploy/set A-')).toBe('deployment.apps/set env updated\n');
    expect(await k().run('set resources deploy/set --limits=cpu=200m,memory=512Mi')).toBe(
      'deployment.apps/set resource requirements updated\n',
    );
    expect(await k().run('set serviceaccount deploy/set sa1')).toBe('deployment.apps/set serviceaccount updated\n');
    const { spec } = (await k().json('get deploy set')).spec.template;
    expect(spec.serviceAccountName).toBe('sa1');
    expect(spec.containers[0]).toMatchObject({
      image: 'nginx:2',
      env: [{ name: 'B', value: '2' }],
      resources: { limits: { cpu: '200m', memory: '512Mi' } },
    });
    expect((await k().refused('set image deploy/set nope=x')).stderr).toContain(
      'unable to find container named "nope"',
    );
    await k().run('create service clusterip sel --tcp=80');
    expect(await k().run('set selector svc sel a=b')).toBe('service/sel selector updated\n');
    expect(await k().field('svc sel', 'spec.selector')).toBe('{"a":"b"}');
  });

  test('rollout: pause, resume, restart, history, status of one that waits', async () => {
    await k().run('create deployment roll --image=nginx:1');
    expect(await k().run('rollout pause deploy/roll')).toBe('deployment.apps/roll paused\n');
    expect((await k().refused('rollout pause deploy/roll')).stderr).toContain('is already paused');
    expect(await k().run('rollout resume deploy/roll')).toBe('deployment.apps/roll resumed\n');
    expect(await k().run('rollout restart deploy/roll')).toBe('deployment.apps/roll restarted\n');
    expect(await k().run('get deploy roll -o yaml')).toContain('kubectl.kubernetes.io/restartedAt');
    expect(await k().run('rollout history deploy/roll')).toContain('deployment.apps/roll');
    // Nothing makes pods yet: it waits, and says for what.
    expect((await k().refused('rollout status deploy/roll --timeout=1s')).stdout).toContain(
      'Waiting for deployment spec update to be observed',
    );
  });

  test('run, and pods as they are stored', async () => {
    expect(await k().run('run p --image=busybox --labels=a=b --env=X=1 -- sleep 1')).toBe('pod/p created\n');
    expect(rows(await k().run('get pod p'))[1]).toEqual(['p', '0/1', 'Pending', '0', expect.any(String)]);
    const { spec, status } = await k().json('get pod p');
    expect(spec).toMatchObject({
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
    });
    expect(spec.containers[0]).toMatchObject({
      args: ['sleep', '1'],
      env: [{ name: 'X', value: '1' }],
      imagePullPolicy: 'Always',
    });
    expect(status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
    expect(await k().run('describe pod p')).toMatch(/^Status: +Pending$/m);
    expect((await k().refused(`patch pod p -p '{"spec":{"restartPolicy":"Never"}}'`)).stderr).toContain(
      'pod updates may not change fields other than',
    );
    expect((await k().refused('logs p')).stderr).toContain('does not have a host assigned');
    expect((await k().refused('exec p -- ls')).code).not.toBe(0);
    expect(await k().run('delete pod p')).toBe('pod "p" deleted\n');
  });

  test('jobs and cron jobs', async () => {
    expect(await k().run('create job j --image=busybox -- true')).toBe('job.batch/j created\n');
    expect(rows(await k().run('get jobs'))[1]?.slice(0, 3)).toEqual(['j', 'Running', '0/1']);
    expect(await k().run("create cronjob c --image=busybox --schedule='*/5 * * * *' -- true")).toBe(
      'cronjob.batch/c created\n',
    );
    expect(rows(await k().run('get cj'))[1]?.slice(0, 5)).toEqual(['c', '*/5 * * * *', '<none>', 'False', '0']);
    expect(await k().run('create job from --from=cronjob/c')).toBe('job.batch/from created\n');
    expect(await k().field('job from', 'metadata.ownerReferences[0].kind')).toBe('CronJob');
    expect((await k().refused("create cronjob bad --image=x --schedule='nonsense'")).stderr).toContain(
      'spec.schedule: Invalid value: "nonsense"',
    );
  });

  test('services of all types', async () => {
    await k().run('create service clusterip s1 --tcp=80:8080');
    await k().run('create service nodeport s2 --tcp=80 --node-port=30123');
    await k().run('create service loadbalancer s3 --tcp=80');
    await k().run('create service externalname s4 --external-name=example.com');
    await k().run('create service clusterip s5 --clusterip=None --tcp=80');
    const table = Object.fromEntries(rows(await k().run('get svc')).map((row) => [row[0], row]));
    expect(table.s1?.[4]).toBe('80/TCP');
    expect(table.s2?.[4]).toBe('80:30123/TCP');
    expect(table.s3?.[3]).toBe('<pending>');
    expect(table.s4?.slice(1, 5)).toEqual(['ExternalName', '<none>', 'example.com', '<none>']);
    expect(table.s5?.[2]).toBe('None');
    expect((await k().refused('create service nodeport s6 --tcp=80 --node-port=30123')).stderr).toContain(
      'provided port is already allocated',
    );
    expect((await k().refused('create service clusterip s7 --tcp=80 --clusterip=9.9.9.9')).stderr).toMatch(
      /spec\.clusterIPs/,
    );
  });

  test('ingress, quota, budget, priority class', async () => {
    await k().run("create ingress i --class=c --rule='a.example.com/x*=web:80'");
    expect(rows(await k().run('get ing'))[1]?.slice(0, 3)).toEqual(['i', 'c', 'a.example.com']);
    await k().run('create quota q --hard=pods=10,cpu=4');
    expect(await k().run('describe quota q')).toMatch(/pods +0? +10/);
    await k().run('create pdb b --selector=app=web --min-available=1');
    expect(rows(await k().run('get pdb'))[1]?.slice(0, 4)).toEqual(['b', '1', 'N/A', '0']);
    await k().run('create priorityclass high --value=1000');
    expect(
      rows(await k().run('get pc'))
        .find((row) => row[0] === 'high')
        ?.slice(1, 3),
    ).toEqual(['1000', 'false']);
    await k().run('delete ing/i quota/q pdb/b pc/high');
  });
});
