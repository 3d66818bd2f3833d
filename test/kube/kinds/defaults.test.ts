/** What is filled in for those who say little, and what is taken from those who say too much. */
import { describe, expect, test } from 'vitest';
import { qosClassOf } from '../../../src/kube/kinds/qos-class.js';
import {
  CONTAINER,
  CRON_JOB,
  created,
  HPA,
  JOB,
  kindOf,
  make,
  POD,
  SERVICE,
  STATEFUL,
  VOLUME,
  WORKLOAD,
  withMembers,
} from './samples.js';

const CONTAINER_DEFAULTS = {
  ...CONTAINER,
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const SPEC_DEFAULTS = {
  containers: [CONTAINER_DEFAULTS],
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};

describe('pods', () => {
  test('get what a pod needs', () => {
    const pod = created('Pod', POD);
    expect(pod.spec).toEqual({ ...SPEC_DEFAULTS, enableServiceLinks: true });
    expect(pod.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  test('on the network of the node have its ports', () => {
    const pod = created(
      'Pod',
      withMembers(POD, { 'spec.hostNetwork': true, 'spec.containers.0.ports': [{ containerPort: 80 }] }),
    );
    expect(pod.spec.containers[0].ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  });

  test('that wait for a gate say so', () => {
    const pod = created('Pod', withMembers(POD, { 'spec.schedulingGates': [{ name: 'example.com/a' }] }));
    expect(pod.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }]);
  });

  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:abc', 'IfNotPresent'],
  ])('pull %s: %s', (image, policy) => {
    expect(
      created('Pod', withMembers(POD, { 'spec.containers.0.image': image })).spec.containers[0].imagePullPolicy,
    ).toBe(policy);
  });

  test('have probes, volumes and variables completed', () => {
    const pod = created('Pod', {
      spec: {
        containers: [
          {
            ...CONTAINER,
            livenessProbe: { httpGet: { port: 80 } },
            readinessProbe: { grpc: { port: 1 } },
            env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          },
        ],
        volumes: [
          { name: 'a' },
          { name: 'b', secret: { secretName: 's' } },
          { name: 'c', hostPath: { path: '/x' } },
          { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
        ],
      },
    });
    const [container] = pod.spec.containers;
    const times = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
    expect(container.livenessProbe).toEqual({ ...times, httpGet: { path: '/', port: 80, scheme: 'HTTP' } });
    expect(container.readinessProbe).toEqual({ ...times, grpc: { port: 1, service: '' } });
    expect(container.env[0].valueFrom.fieldRef.apiVersion).toBe('v1');
    expect(pod.spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      { name: 'c', hostPath: { path: '/x', type: '' } },
      {
        name: 'd',
        projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] },
      },
    ]);
  });

  test('ask for what they are limited to, templates do not', () => {
    const limits = { cpu: '1', memory: '1Gi' };
    const body = { ...POD, spec: { containers: [{ ...CONTAINER, resources: { limits } }] } };
    expect(created('Pod', body).spec.containers[0].resources).toEqual({ limits, requests: limits });
    expect(created('Pod', body).status.qosClass).toBe('Guaranteed');
    const deployment = created('Deployment', {
      spec: { ...WORKLOAD.spec, template: { ...WORKLOAD.spec.template, ...body } },
    });
    expect(deployment.spec.template.spec.containers[0].resources).toEqual({ limits });
  });

  test.each([
    ['BestEffort', [{}]],
    ['BestEffort', [{ requests: { cpu: '0' } }]],
    ['Burstable', [{ requests: { cpu: '1' } }]],
    ['Burstable', [{ limits: { cpu: '1' }, requests: { cpu: '1' } }]],
    ['Guaranteed', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }]],
    ['Burstable', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }, {}]],
    ['Burstable', [{ limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }]],
  ])('are %s with %j', (qos, resources) => {
    expect(qosClassOf({ containers: resources.map((r) => ({ resources: r })) })).toBe(qos);
  });

  test('have grace only where they run', () => {
    const grace = (body: object, asked?: number) => kindOf('Pod').graceSeconds?.(make(kindOf('Pod'), body), asked);
    expect(grace({ spec: {} })).toBe(0);
    expect(grace({ spec: { nodeName: 'n', terminationGracePeriodSeconds: 7 } })).toBe(7);
    expect(grace({ spec: { nodeName: 'n' } }, 3)).toBe(3);
    expect(grace({ spec: { nodeName: 'n' } }, 0)).toBe(0);
    expect(grace({ spec: { nodeName: 'n' }, status: { phase: 'Failed' } }, 3)).toBe(0);
  });
});

describe('workloads', () => {
  test('a Deployment', () => {
    expect(created('Deployment', WORKLOAD).spec).toEqual({
      ...WORKLOAD.spec,
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: { ...WORKLOAD.spec.template, spec: SPEC_DEFAULTS },
    });
    expect(created('Deployment', withMembers(WORKLOAD, { 'spec.replicas': 0 })).spec.replicas).toBe(0);
  });

  test('a DaemonSet counts its templates', () => {
    const kind = kindOf('DaemonSet');
    const annotation = 'deprecated.daemonset.template.generation';
    const set = created('DaemonSet', WORKLOAD);
    expect(set.spec.updateStrategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    });
    expect(set.metadata.annotations?.[annotation]).toBe('1');
    const same = make(kind, WORKLOAD);
    kind.setDefaults?.(same);
    kind.prepareForUpdate?.(same, set);
    expect(same.metadata.annotations?.[annotation]).toBe('1');
    const other = make(kind, withMembers(WORKLOAD, { 'spec.template.spec.containers.0.image': 'x:2' }));
    kind.setDefaults?.(other);
    kind.prepareForUpdate?.(other, set);
    expect(other.metadata.annotations?.[annotation]).toBe('2');
  });

  test('a StatefulSet', () => {
    const set = created('StatefulSet', {
      spec: { ...STATEFUL.spec, volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] },
    });
    expect(set.spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          spec: { volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
    });
  });

  test('a ReplicationController takes what it lacks from its template', () => {
    const controller = created('ReplicationController', { spec: { template: WORKLOAD.spec.template } });
    expect(controller.spec.selector).toEqual({ app: 'web' });
    expect(controller.metadata.labels).toEqual({ app: 'web' });
    expect(kindOf('ReplicationController').scale?.selector?.(controller)).toBe('app=web');
  });

  test('a Job selects its pods by its uid', () => {
    const job = created('Job', JOB);
    expect(job.spec).toMatchObject({
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } },
    });
    expect(job.spec.template.metadata.labels).toEqual({
      'batch.kubernetes.io/controller-uid': 'u-1',
      'batch.kubernetes.io/job-name': 'web',
      'controller-uid': 'u-1',
      'job-name': 'web',
    });
    expect(created('Job', withMembers(JOB, { 'spec.parallelism': 3 })).spec.completions).toBeUndefined();
  });

  test('a CronJob', () => {
    expect(created('CronJob', CRON_JOB).spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { completions: 1 } },
    });
  });
});

describe('the rest', () => {
  test.each<[string, object, object]>([
    [
      'Namespace',
      {},
      {
        metadata: { labels: { 'kubernetes.io/metadata.name': 'web' } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      },
    ],
    [
      'PersistentVolume',
      VOLUME,
      { spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
    ],
    ['PersistentVolumeClaim', {}, { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    ['StorageClass', {}, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }],
    [
      'NetworkPolicy',
      { spec: { egress: [{ ports: [{ port: 1 }] }] } },
      { spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ port: 1, protocol: 'TCP' }] }] } },
    ],
    ['NetworkPolicy', { spec: {} }, { spec: { policyTypes: ['Ingress'] } }],
    ['Ingress', {}, { status: { loadBalancer: {} } }],
    [
      'RoleBinding',
      {
        roleRef: { kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
    ],
    [
      'CustomResourceDefinition',
      { spec: { names: { kind: 'Widget', plural: 'widgets' } } },
      { spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } } },
    ],
    [
      'LimitRange',
      { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
      { spec: { limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }] } },
    ],
  ])('%s', (kind, body, expected) => {
    expect(created(kind, body as Record<string, any>)).toMatchObject(expected);
  });

  test('a Secret takes texts in and never gives them back', () => {
    const secret = created('Secret', { stringData: { a: 'ö', b: 'x' }, data: { a: 'eA==' } });
    expect(secret.data).toEqual({ a: Buffer.from('ö').toString('base64'), b: 'eA==' });
    expect(secret).not.toHaveProperty('stringData');
    expect(secret.type).toBe('Opaque');
  });

  test('a node brings its own status, others do not', () => {
    expect(created('Node', { status: { phase: 'Running' } }).status).toEqual({ phase: 'Running' });
    expect(created('Deployment', { ...WORKLOAD, status: { replicas: 5 } })).not.toHaveProperty('status');
    expect(created('ReplicaSet', { ...WORKLOAD, status: { replicas: 5 } }).status).toEqual({ replicas: 0 });
  });

  test('a certificate request stays as it was asked', () => {
    const old = created('CertificateSigningRequest', { spec: { signerName: 'a.b/c' } });
    const next = make(kindOf('CertificateSigningRequest'), { spec: { signerName: 'x.y/z' } });
    kindOf('CertificateSigningRequest').prepareForUpdate?.(next, old);
    expect(next.spec.signerName).toBe('a.b/c');
  });
});

describe('services', () => {
  test('get types, ports and families', () => {
    expect(created('Service', SERVICE).spec).toEqual({
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
    expect(
      created('Service', withMembers(SERVICE, { 'spec.type': 'LoadBalancer', 'spec.sessionAffinity': 'ClientIP' }))
        .spec,
    ).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    });
  });

  const update = (old: object, next: object) => {
    const kind = kindOf('Service');
    const before = created('Service', old);
    const object = make(kind, next);
    kind.setDefaults?.(object);
    kind.prepareForUpdate?.(object, before);
    kind.setDefaults?.(object);
    return object.spec;
  };

  test('keep what they were given when they are replaced', () => {
    const given = withMembers(SERVICE, {
      'spec.type': 'NodePort',
      'spec.clusterIP': '10.96.0.7',
      'spec.ports.0.nodePort': 30001,
    });
    const spec = update(given, withMembers(SERVICE, { 'spec.type': 'NodePort' }));
    expect(spec).toMatchObject({ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ports: [{ nodePort: 30001 }] });
  });

  test('lose what only their former type had', () => {
    const given = withMembers(SERVICE, {
      'spec.type': 'NodePort',
      'spec.clusterIP': '10.96.0.7',
      'spec.ports.0.nodePort': 30001,
    });
    const plain = update(
      given,
      withMembers(given, { 'spec.type': 'ClusterIP', 'spec.externalTrafficPolicy': 'Cluster' }),
    );
    expect(plain.ports[0]).not.toHaveProperty('nodePort');
    expect(plain).not.toHaveProperty('externalTrafficPolicy');
    const alias = update(
      given,
      withMembers(given, { 'spec.type': 'ExternalName', 'spec.externalName': 'x', 'spec.clusterIPs': ['10.96.0.7'] }),
    );
    expect(alias).not.toHaveProperty('clusterIP');
    expect(alias).not.toHaveProperty('clusterIPs');
  });
});

describe('two versions of one storage', () => {
  const v1 = kindOf('autoscaling/v1 HorizontalPodAutoscaler');
  const v2 = kindOf('autoscaling/v2 HorizontalPodAutoscaler');

  test('an autoscaler of v1 is stored as v2 and comes back', () => {
    const object = make(v1, { spec: { ...HPA.spec, minReplicas: 1, targetCPUUtilizationPercentage: 50 } });
    const stored = v1.toStored!(object);
    expect(stored).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: {
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    });
    expect(stored.spec).not.toHaveProperty('targetCPUUtilizationPercentage');
    expect(v1.fromStored!(stored)).toEqual(object);
  });

  test('what v1 cannot say travels in annotations', () => {
    const metrics = [
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    ];
    const object = make(v2, { spec: { ...HPA.spec, metrics, behavior: { scaleDown: { selectPolicy: 'Max' } } } });
    const older = v1.fromStored!(object);
    expect(older.spec).toMatchObject({ targetCPUUtilizationPercentage: 50 });
    expect(Object.keys(older.metadata.annotations ?? {})).toHaveLength(2);
    const back = v1.toStored!(older);
    expect(back.metadata).toEqual(object.metadata);
    expect(back.spec).toEqual({ ...object.spec, metrics: [metrics[1], metrics[0]] });
  });

  test('without metrics the CPU decides', () => {
    expect(created('autoscaling/v2 HorizontalPodAutoscaler', HPA).spec).toMatchObject({
      minReplicas: 1,
      metrics: [{ resource: { name: 'cpu' } }],
    });
    expect(created('autoscaling/v1 HorizontalPodAutoscaler', HPA).spec.targetCPUUtilizationPercentage).toBe(80);
  });

  test('an event has the same content under both names', () => {
    const events = kindOf('events.k8s.io/v1 Event');
    const event = make(events, {
      regarding: { kind: 'Pod', name: 'p' },
      note: 'n',
      reportingController: 'c',
      deprecatedCount: 2,
      reason: 'R',
    });
    const core = events.toStored!(event);
    expect(core).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { name: 'p' },
      message: 'n',
      reportingComponent: 'c',
      count: 2,
      reason: 'R',
    });
    expect(core).not.toHaveProperty('note');
    expect(events.fromStored!(core)).toEqual(event);
    expect(kindOf('v1 Event').fieldSelectors?.['involvedObject.name']?.(core)).toBe('p');
    expect(kindOf('v1 Event').ttlSeconds).toBe(3600);
  });
});
