import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

const OPTIONS = { controllers: ['*'], nodes: 2 };

describeKubectl(
  'kubectl: pods on simulated nodes',
  (k) => {
    const wait = (what: string, condition = 'condition=Ready') =>
      k().run(`wait ${what} --for=${condition} --timeout=20s`);

    test('run, get, describe, delete', async () => {
      await wait('node/node-1');
      await k().run('run p --image=x');
      await wait('pod/p');
      const [, cells = []] = rows(await k().run('get pods p -o wide'));
      expect(cells.slice(0, 3)).toEqual(['p', '1/1', 'Running']);
      expect(cells[5]).toMatch(/^10\.244\.\d+\.\d+$/);
      expect(cells[6]).toMatch(/^node-[12]$/);
      // Events are told a little later than statuses.
      const told = (): Promise<string> => k().run('describe pod p');
      const reasons = ['Scheduled', 'Pulled', 'Created', 'Started'];
      await expect.poll(told, { timeout: 10_000 }).toSatisfy((text) => reasons.every((one) => text.includes(one)));
      expect(await k().run('delete pod p')).toContain('deleted');
      expect((await k().refused('get pod p')).stderr).toContain('NotFound');
    });

    test('logs: all, the last, since, with times, following, of the run before', async () => {
      const overrides = JSON.stringify({
        metadata: { annotations: { 'sim.keel/log': 'beat', 'sim.keel/log-every': '100ms' } },
      });
      await k().run(`run talker --image=x --overrides='${overrides}'`);
      await k().run(`run once --image=x --restart=Never -- sh -c 'echo one; echo two; echo three; sleep 1; exit 3'`);
      await wait('pod/talker');
      const following = k().start('logs -f talker --timestamps --tail=1');
      await following.until((out) => out.split('\n').length > 4);
      await following.stop();
      expect(following.stdout.split('\n')[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z beat$/);
      await wait('pod/once', 'jsonpath={.status.phase}=Failed');
      expect(await k().run('logs once')).toBe('one\ntwo\nthree\n');
      expect(await k().run('logs once --tail=2')).toBe('two\nthree\n');
      expect(await k().run('logs once --limit-bytes=5')).toBe('one\nt');
      expect(await k().field('pod once', 'status.containerStatuses[0].state.terminated.exitCode')).toBe('3');
      expect((await k().refused('logs once --previous')).stderr).toContain(
        'previous terminated container "once" in pod "once" not found',
      );
      // One that ends is followed to its end.
      await k().run(`run soon --image=x --restart=Never -- sh -c 'echo a; sleep 2; echo b'`);
      await wait('pod/soon');
      expect(await k().run('logs -f soon')).toBe('a\nb\n');
      await k().run(`run never --image=x:missing`);
      await wait('pod/never', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff');
      expect((await k().refused('logs never')).stderr).toContain('trying and failing to pull image');
    });

    test('a container that crashes is started again, later and later', async () => {
      await k().run('run crash --image=x:crash');
      await wait('pod/crash', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff');
      const [, cells = []] = rows(await k().run('get pod crash'));
      expect(cells.slice(1, 3)).toEqual(['0/1', 'CrashLoopBackOff']);
      expect(await k().field('pod crash', 'status.containerStatuses[0].restartCount')).toBe('1');
      expect(await k().run('logs crash --previous')).toBe('');
    });

    test('top', async () => {
      const overrides = JSON.stringify({
        metadata: { annotations: { 'sim.keel/cpu': '250m', 'sim.keel/memory': '64Mi' } },
      });
      await k().run(`run busy --image=x --overrides='${overrides}'`);
      await wait('pod/busy');
      expect(rows(await k().run('top pod busy'))[1]).toEqual(['busy', '250m', '64Mi']);
      const nodes = rows(await k().run('top nodes'));
      expect(nodes.slice(1).map((cells) => cells[0])).toEqual(['node-1', 'node-2']);
      expect(nodes[1]?.[1]).toMatch(/^\d+m$/);
    });

    test('a pod that fits nowhere says why', async () => {
      await k().run(`run wants --image=x --overrides='${JSON.stringify({ spec: { nodeSelector: { disk: 'ssd' } } })}'`);
      await wait('pod/wants', 'condition=PodScheduled=False');
      const text =
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. " +
        'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.';
      expect(await k().field('pod wants', 'status.conditions[?(@.type=="PodScheduled")].message')).toBe(text);
      await k().run('label node node-2 disk=ssd');
      await wait('pod/wants');
      expect(await k().field('pod wants', 'spec.nodeName')).toBe('node-2');
    });
  },
  OPTIONS,
);
