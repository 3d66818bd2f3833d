import { expect, test } from 'vitest';
import { describeKubectl, rows } from '../support/kubectl.js';

const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: networks.samplecrd.example.com}
spec:
  group: samplecrd.example.com
  scope: Namespaced
  names: {plural: networks, kind: Network, shortNames: [nw], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: CIDR, type: string, jsonPath: .spec.cidr}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cidr]
            properties:
              cidr: {type: string, pattern: '^[0-9./]+$', description: The addresses.}
              replicas: {type: integer, default: 1}
          status:
            type: object
            properties:
              replicas: {type: integer}
`;
const NETWORK = (name: string, cidr: string, more = '') =>
  `apiVersion: samplecrd.example.com/v1\nkind: Network\nmetadata: {name: ${name}}\nspec:\n  cidr: "${cidr}"\n${more}`;

describeKubectl('kubectl: custom resources', (k) => {
  const stdin = (text: string) => ({ stdin: text });

  test('a definition serves at once: objects, columns, explain, scale, patches', async () => {
    expect(await k().run('apply -f -', stdin(CRD))).toBe(
      'customresourcedefinition.apiextensions.k8s.io/networks.samplecrd.example.com created\n',
    );
    await k().run('wait --for=condition=Established crd/networks.samplecrd.example.com --timeout=10s');
    expect(await k().run('apply -f -', stdin(NETWORK('a', '10.0.0.0/8')))).toBe(
      'network.samplecrd.example.com/a created\n',
    );
    expect(await k().run('apply -f -', stdin(NETWORK('a', '10.0.0.0/8')))).toBe(
      'network.samplecrd.example.com/a unchanged\n',
    );
    expect(await k().run('apply -f -', stdin(NETWORK('a', '10.1.0.0/16')))).toBe(
      'network.samplecrd.example.com/a configured\n',
    );
    expect(rows(await k().run('get nw'))).toEqual([
      ['NAME', 'CIDR', 'AGE'],
      ['a', '10.1.0.0/16', expect.any(String)],
    ]);
    expect(await k().field('nw a', 'spec.replicas')).toBe('1');
    expect(await k().run('explain network.spec')).toMatch(/cidr\t<string> -required-\n {4}The addresses\./);
    expect(await k().run('scale nw a --replicas=3')).toBe('network.samplecrd.example.com/a scaled\n');
    expect(await k().field('nw a', 'spec.replicas')).toBe('3');
    await k().run(`patch nw a --type=merge --subresource=status -p '{"status":{"replicas":2}}'`);
    expect(await k().field('nw a', 'status.replicas')).toBe('2');
    expect(await k().run('label nw a x=y')).toBe('network.samplecrd.example.com/a labeled\n');
    expect((await k().refused(`patch nw a -p '{"spec":{}}'`)).stderr).toContain('application/merge-patch+json');
    expect(await k().run('get all')).toContain('network.samplecrd.example.com/a');
    expect(await k().run('api-resources')).toMatch(/^networks +nw +samplecrd\.example\.com\/v1 +true +Network$/m);
    expect(await k().run('describe nw a')).toMatch(/Cidr: +10\.1\.0\.0\/16/);
  });

  test('what does not fit the schema is refused', async () => {
    const refused = async (text: string) => (await k().refused('create -f -', stdin(text))).stderr;
    expect(await refused(NETWORK('b', 'nonsense'))).toBe(
      `The Network "b" is invalid: spec.cidr: Invalid value: "nonsense": spec.cidr in body should match '^[0-9./]+$'\n`,
    );
    expect(await refused(NETWORK('b', '1').replace('  cidr: "1"\n', '  replicas: 1\n'))).toContain(
      'spec.cidr: Required value',
    );
    expect(await refused(NETWORK('b', '1', '  nope: 1\n'))).toContain(
      'strict decoding error: unknown field "spec.nope"',
    );
    expect(await refused(NETWORK('b', '1', '  replicas: x\n'))).toContain('spec.replicas: Invalid value: "string"');
    expect(
      await refused(CRD.replaceAll('networks', 'others').replace('type: object\n        properties', 'properties')),
    ).toContain('Required value: must not be empty');
  });

  test('server-side apply of a custom resource', async () => {
    expect(await k().run('apply --server-side -f -', stdin(NETWORK('s', '10.0.0.1')))).toBe(
      'network.samplecrd.example.com/s serverside-applied\n',
    );
    const lost = await k().refused('apply --server-side --field-manager=other -f -', stdin(NETWORK('s', '10.0.0.2')));
    expect(lost.stderr).toContain('conflict with "kubectl": .spec.cidr');
  });

  test('with the definition its objects go', async () => {
    expect(await k().run('delete crd networks.samplecrd.example.com')).toContain('deleted\n');
    expect((await k().refused('get nw')).stderr).toContain('the server could not find the requested resource');
  });
});
