/** What each kind refuses, by path and in words. Sources: kubernetes validation, as clients see it. */
import { describe, expect, test } from 'vitest';
import {
  BINDING,
  CLAIM,
  CONTAINER,
  CRON_JOB,
  HPA,
  INGRESS,
  JOB,
  POD,
  REQUEST,
  ROLE,
  refusals,
  SERVICE,
  STATEFUL,
  updateRefusals,
  VOLUME,
  WEBHOOKS,
  WORKLOAD,
  withMembers,
} from './samples.js';

type Body = Record<string, any>;
/** Members set in the sample, and all that is refused then. */
type Case = readonly [members: Body, ...refused: string[]];

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const C = 'spec.containers.0';
const c = 'spec.containers[0]';

const CASES: Record<string, readonly [Body, readonly Case[]]> = {
  Pod: [
    POD,
    [
      [{}],
      [{ 'spec.containers': [] }, 'spec.containers: Required value'],
      [{ [`${C}.name`]: '' }, `${c}.name: Required value`],
      [{ [`${C}.name`]: 'A_b' }, `${c}.name: Invalid value: "A_b": ${LABEL_RULE}`],
      [{ [`${C}.image`]: '' }, `${c}.image: Required value`],
      [{ [`${C}.image`]: ' x' }, `${c}.image: Invalid value: " x": must not have leading or trailing whitespace`],
      [{ 'spec.containers': [CONTAINER, CONTAINER] }, 'spec.containers[1].name: Duplicate value: "c"'],
      [{ 'spec.initContainers': [CONTAINER] }, 'spec.initContainers[0].name: Duplicate value: "c"'],
      [
        { 'spec.restartPolicy': 'Sometimes' },
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
      [{ [`${C}.volumeMounts`]: [{ name: 'x', mountPath: '/x' }] }, `${c}.volumeMounts[0].name: Not found: "x"`],
      [
        {
          'spec.volumes': [{ name: 'v' }],
          [`${C}.volumeMounts`]: [
            { name: 'v', mountPath: '/x' },
            { name: 'v', mountPath: '/x' },
          ],
        },
        `${c}.volumeMounts[1].mountPath: Invalid value: "/x": must be unique`,
      ],
      [{ 'spec.volumes': [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
      [
        { 'spec.volumes': [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] },
        'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
      ],
      [{ 'spec.volumes': [{ name: 'v', hostPath: { path: '' } }] }, 'spec.volumes[0].hostPath.path: Required value'],
      [{ 'spec.volumes': [{ name: 'v', secret: {} }] }, 'spec.volumes[0].secret.secretName: Required value'],
      [{ 'spec.volumes': [{ name: 'v', configMap: {} }] }, 'spec.volumes[0].configMap.name: Required value'],
      [
        { 'spec.volumes': [{ name: 'v', secret: { secretName: 's', defaultMode: 1000 } }] },
        'spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive',
      ],
      [
        { [`${C}.ports`]: [{ containerPort: 70000 }] },
        `${c}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
      ],
      [{ [`${C}.ports`]: [{}] }, `${c}.ports[0].containerPort: Required value`],
      [
        { [`${C}.ports`]: [{ containerPort: 80, name: 'much-too-long-name' }] },
        `${c}.ports[0].name: Invalid value: "much-too-long-name": must be no more than 15 characters`,
      ],
      [
        { [`${C}.ports`]: [{ containerPort: 80, name: '80' }] },
        `${c}.ports[0].name: Invalid value: "80": must contain at least one letter (a-z)`,
      ],
      [
        { [`${C}.ports`]: [{ containerPort: 80, protocol: 'tcp' }] },
        `${c}.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"`,
      ],
      [
        {
          [`${C}.ports`]: [
            { containerPort: 80, hostPort: 80 },
            { containerPort: 81, hostPort: 80 },
          ],
        },
        `${c}.ports[1].hostPort: Duplicate value: "TCP//80"`,
      ],
      [
        { [`${C}.env`]: [{ name: 'A=B' }] },
        expect.stringContaining(`${c}.env[0].name: Invalid value: "A=B": a valid environment variable name`) as any,
      ],
      [
        { [`${C}.env`]: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
        `${c}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
      ],
      [
        { [`${C}.env`]: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] },
        `${c}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.x": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
      ],
      [
        { [`${C}.resources`]: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
        `${c}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
      ],
      [
        { [`${C}.resources`]: { limits: { memory: '-1' } } },
        `${c}.resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0`,
        `${c}.resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0`,
      ],
      [
        { [`${C}.resources`]: { limits: { gpu: '1' }, requests: { gpu: '1' } } },
        `${c}.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
        `${c}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      ],
      [{ [`${C}.livenessProbe`]: {} }, `${c}.livenessProbe: Required value: must specify a handler type`],
      [
        { [`${C}.livenessProbe`]: { exec: { command: ['x'] }, tcpSocket: { port: 80 } } },
        `${c}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
      ],
      [
        { [`${C}.livenessProbe`]: { tcpSocket: { port: 80 }, successThreshold: 2 } },
        `${c}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
      ],
      [
        { [`${C}.readinessProbe`]: { httpGet: { port: 0 } } },
        `${c}.readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      ],
      [
        { 'spec.initContainers': [{ name: 'i', image: 'x', readinessProbe: { tcpSocket: { port: 1 } } }] },
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
      [{ 'spec.initContainers': [{ name: 'i', image: 'x', restartPolicy: 'Always' }] }],
      [
        { [`${C}.securityContext`]: { privileged: true, allowPrivilegeEscalation: false } },
        `${c}.securityContext.allowPrivilegeEscalation: Invalid value: false: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
      [
        { 'spec.activeDeadlineSeconds': 0 },
        'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
      ],
      [
        { 'spec.terminationGracePeriodSeconds': -1 },
        'spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0',
      ],
      [
        { 'spec.tolerations': [{ key: 'a', operator: 'Exists', value: 'x' }] },
        'spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
      ],
      [
        { 'spec.tolerations': [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 }] },
        'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
      [
        { 'spec.tolerations': [{ value: 'x' }] },
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
      [
        {
          'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms': [
            { matchExpressions: [{ key: 'a', operator: 'Like', values: ['x'] }] },
          ],
        },
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
      ],
      [
        { 'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution': [{ labelSelector: {} }] },
        'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
      ],
      [
        { 'spec.topologySpreadConstraints': [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      ],
      [
        { 'spec.dnsPolicy': 'None' },
        'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
      ],
      [
        { 'spec.ephemeralContainers': [CONTAINER] },
        'spec.ephemeralContainers[0].name: Duplicate value: "c"',
        'spec.ephemeralContainers: Forbidden: cannot be set on create',
      ],
    ],
  ],
  Deployment: [
    WORKLOAD,
    [
      [{}],
      [{ 'spec.selector': undefined }, 'spec.selector: Required value'],
      [{ 'spec.selector': {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
      [
        { 'spec.selector.matchLabels.app': 'other' },
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
      [{ 'spec.replicas': -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
      [
        { 'spec.template.spec.restartPolicy': 'Never' },
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      ],
      [
        { 'spec.strategy': { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
      ],
      [
        { 'spec.strategy': { rollingUpdate: { maxUnavailable: '101%' } } },
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
      [
        { 'spec.strategy': { type: 'Recreate', rollingUpdate: {} } },
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
      [
        { 'spec.progressDeadlineSeconds': 5, 'spec.minReadySeconds': 5 },
        'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
      ],
      [
        { 'spec.template.metadata.labels.bad': 'a b' },
        expect.stringMatching(
          /^spec\.template\.labels: Invalid value: "a b": a valid label must be an empty string/,
        ) as any,
      ],
    ],
  ],
  ReplicaSet: [
    WORKLOAD,
    [[{}], [{ 'spec.replicas': -2 }, 'spec.replicas: Invalid value: -2: must be greater than or equal to 0']],
  ],
  DaemonSet: [
    WORKLOAD,
    [
      [{}],
      [{ 'spec.selector': {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for daemonset'],
      [
        { 'spec.updateStrategy': { rollingUpdate: { maxUnavailable: 0 } } },
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0 when maxSurge is 0',
      ],
    ],
  ],
  StatefulSet: [
    STATEFUL,
    [
      [{}],
      [
        { 'spec.podManagementPolicy': 'Random' },
        'spec.podManagementPolicy: Unsupported value: "Random": supported values: "OrderedReady", "Parallel"',
      ],
    ],
  ],
  ReplicationController: [
    { spec: { template: WORKLOAD.spec.template } },
    [
      [{}],
      [
        { 'spec.selector': { app: 'other' } },
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
  ],
  Job: [
    JOB,
    [
      [{}],
      [
        { 'spec.template.spec.restartPolicy': undefined },
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      ],
      [{ 'spec.parallelism': -1 }, 'spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
      [
        { 'spec.completionMode': 'Indexed', 'spec.parallelism': 2 },
        'spec.completions: Required value: when completion mode is Indexed',
      ],
      [{ 'spec.manualSelector': true }, 'spec.selector: Required value'],
    ],
  ],
  CronJob: [
    CRON_JOB,
    [
      [{}],
      [{ 'spec.schedule': '@hourly' }],
      [{ 'spec.schedule': '' }, 'spec.schedule: Required value'],
      [
        { 'spec.schedule': '* * * *' },
        'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
      ],
      [
        { 'spec.schedule': '61 * * * *' },
        'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
      ],
      [
        { 'spec.schedule': 'TZ=UTC 0 * * * *' },
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
      [
        { 'spec.timeZone': 'Mars/Olympus' },
        'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus',
      ],
      [{ 'spec.timeZone': 'Europe/Berlin' }],
      [
        { 'spec.concurrencyPolicy': 'Maybe' },
        'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
      ],
      [
        { 'metadata.name': 'n'.repeat(53) },
        `metadata.name: Invalid value: "${'n'.repeat(53)}": must be no more than 52 characters`,
      ],
    ],
  ],
  Service: [
    SERVICE,
    [
      [{}],
      [{ 'spec.ports': [] }, 'spec.ports: Required value'],
      [{ 'spec.ports': [], 'spec.clusterIP': 'None' }],
      [{ 'spec.ports': [{ port: 80 }, { port: 81, name: 'b' }] }, 'spec.ports[0].name: Required value'],
      [
        {
          'spec.ports': [
            { port: 80, name: 'a' },
            { port: 80, name: 'b' },
          ],
        },
        'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
      ],
      [
        {
          'spec.ports': [
            { port: 80, name: 'a' },
            { port: 81, name: 'a' },
          ],
        },
        'spec.ports[1].name: Duplicate value: "a"',
      ],
      [
        { 'spec.ports.0.port': 0, 'spec.ports.0.targetPort': 80 },
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
      [
        { 'spec.type': 'Balanced' },
        'spec.type: Unsupported value: "Balanced": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
      [{ 'spec.type': 'ExternalName' }, 'spec.externalName: Required value'],
      [{ 'spec.type': 'ExternalName', 'spec.externalName': 'example.com', 'spec.selector': undefined }],
      [
        { 'spec.ports.0.nodePort': 30080 },
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      ],
      [
        { 'spec.type': 'NodePort', 'spec.clusterIP': 'None' },
        'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
      ],
      [
        { 'spec.clusterIP': '10.0.0' },
        'spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
      [
        { 'spec.externalTrafficPolicy': 'Local' },
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      ],
    ],
  ],
  ConfigMap: [
    { data: { a: 'b' } },
    [
      [{}],
      [
        { data: { 'a b': 'x' } },
        expect.stringMatching(/^data\[a b\]: Invalid value: "a b": a valid config key must consist of/) as any,
      ],
      [
        { data: { a: 'x' }, binaryData: { a: 'eA==' } },
        'data[a]: Invalid value: "a": duplicate of key present in binaryData',
      ],
      [{ data: { a: 'x'.repeat(1024 * 1024 + 1) } }, ': Too long: may not be more than 1048576 bytes'],
    ],
  ],
  Secret: [
    {},
    [
      [{}],
      [{ type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
      [{ type: 'kubernetes.io/dockerconfigjson' }, 'data[.dockerconfigjson]: Required value'],
      [{ type: 'kubernetes.io/ssh-auth' }, 'data[ssh-privatekey]: Required value'],
      [{ type: 'kubernetes.io/basic-auth' }, 'data[username]: Required value', 'data[password]: Required value'],
      [
        { type: 'kubernetes.io/service-account-token' },
        'metadata.annotations[kubernetes.io/service-account.name]: Required value',
      ],
      [{ type: 'kubernetes.io/basic-auth', stringData: { username: 'ann' } }],
    ],
  ],
  PersistentVolumeClaim: [
    CLAIM,
    [
      [{}],
      [{ 'spec.accessModes': [] }, 'spec.accessModes: Required value: at least 1 access mode is required'],
      [{ 'spec.resources': {} }, 'spec.resources[storage]: Required value'],
      [
        { 'spec.resources.requests.storage': '0' },
        'spec.resources[storage]: Invalid value: "0": must be greater than zero',
      ],
      [
        { 'spec.accessModes': ['ReadWriteOncePod', 'ReadWriteOnce'] },
        'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      ],
    ],
  ],
  PersistentVolume: [
    VOLUME,
    [
      [{}],
      [{ 'spec.hostPath': undefined }, 'spec: Required value: must specify a volume type'],
      [{ 'spec.nfs': { server: 's', path: '/x' } }, 'spec.nfs: Forbidden: may not specify more than 1 volume type'],
      [{ 'spec.capacity': {} }, 'spec.capacity: Required value'],
    ],
  ],
  Ingress: [
    INGRESS,
    [
      [{}],
      [{ spec: {} }, 'spec: Invalid value: "": either `defaultBackend` or `rules` must be specified'],
      [
        { 'spec.rules.0.http.paths.0.pathType': undefined },
        'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
      ],
      [
        { 'spec.rules.0.http.paths.0.path': 'x' },
        'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
      ],
      [
        { 'spec.rules.0.http.paths.0.backend.service.port': { name: 'a', number: 1 } },
        'spec.rules[0].http.paths[0].backend.service.port: Invalid value: "": cannot set both port name & port number',
      ],
      [
        { 'spec.rules.0.http.paths.0.backend.service.port': {} },
        'spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required',
      ],
      [
        { 'spec.rules.0.host': '10.0.0.1' },
        'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
      ],
    ],
  ],
  HorizontalPodAutoscaler: [
    HPA,
    [
      [{}],
      [{ 'spec.minReplicas': 0 }, 'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'],
      [{ 'spec.minReplicas': 9 }, 'spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`'],
      [{ 'spec.scaleTargetRef.kind': '' }, 'spec.scaleTargetRef.kind: Required value'],
      [
        { 'spec.metrics': [{ type: 'Pods' }] },
        'spec.metrics[0].pods: Required value: must populate information for the given metric source',
      ],
    ],
  ],
  NetworkPolicy: [
    { spec: { podSelector: {} } },
    [
      [{}],
      [
        { 'spec.ingress': [{ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }] },
        'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
      ],
      [
        { 'spec.ingress': [{ from: [{ ipBlock: { cidr: '10.0.0' } }] }] },
        'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
  ],
  PodDisruptionBudget: [
    { spec: { minAvailable: 1 } },
    [
      [{}],
      [{ 'spec.maxUnavailable': 1 }, 'spec: Invalid value: "": minAvailable and maxUnavailable cannot be both set'],
      [{ 'spec.minAvailable': '120%' }, 'spec.minAvailable: Invalid value: "120%": must not be greater than 100%'],
    ],
  ],
  Role: [
    ROLE,
    [
      [{}],
      [{ 'rules.0.verbs': [] }, 'rules[0].verbs: Required value: verbs must contain at least one value'],
      [
        { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
      ],
    ],
  ],
  RoleBinding: [
    BINDING,
    [
      [{}],
      [
        { 'roleRef.kind': 'Group' },
        'roleRef.kind: Unsupported value: "Group": supported values: "Role", "ClusterRole"',
      ],
      [
        { 'subjects.0.namespace': 'x' },
        'subjects[0].namespace: Forbidden: namespace is not allowed for User and Group',
      ],
    ],
  ],
  ClusterRoleBinding: [
    { ...BINDING, roleRef: { kind: 'ClusterRole', name: 'admin' } },
    [[{}], [{ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, 'subjects[0].namespace: Required value']],
  ],
  StorageClass: [
    { provisioner: 'example.com/disk' },
    [
      [{}],
      [{ provisioner: '' }, 'provisioner: Required value'],
      [{ reclaimPolicy: 'Burn' }, 'reclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Retain"'],
    ],
  ],
  PriorityClass: [
    { value: 5 },
    [
      [{}],
      [{ value: 1000000001 }, 'value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
      [{ 'metadata.name': 'system-node-critical', value: 2000001000 }],
      [
        { 'metadata.name': 'system-mine' },
        expect.stringContaining("priority class names with 'system-' prefix are reserved for system use only") as any,
      ],
    ],
  ],
  Node: [
    {},
    [
      [{}],
      [
        {
          'spec.taints': [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', value: 'x', effect: 'NoSchedule' },
          ],
        },
        'spec.taints[1]: Duplicate value: {"key":"a","value":"x","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      ],
      [
        { 'spec.taints': [{ key: 'a', effect: 'Never' }] },
        'spec.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
  ],
  ResourceQuota: [
    { spec: { hard: { pods: '5', 'requests.cpu': '1' } } },
    [
      [{}],
      [
        { 'spec.hard.cheese': '1' },
        'spec.hard[cheese]: Invalid value: "cheese": must be a standard resource type or fully qualified',
      ],
      [{ 'spec.hard.pods': '-1' }, 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
      [{ 'spec.hard.pods': '1500m' }, 'spec.hard[pods]: Invalid value: "1500m": must be an integer'],
    ],
  ],
  LimitRange: [
    { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
    [
      [{}],
      [
        { 'spec.limits.0.min': { cpu: '2' } },
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than default request value 1',
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      ],
    ],
  ],
  Lease: [
    { spec: {} },
    [[{}], [{ 'spec.leaseDurationSeconds': 0 }, 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0']],
  ],
  MutatingWebhookConfiguration: [
    WEBHOOKS,
    [
      [{}],
      [
        { 'webhooks.0.name': 'short' },
        'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
      ],
      [
        { 'webhooks.0.timeoutSeconds': 31 },
        'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      ],
      [
        { 'webhooks.0.clientConfig.url': 'https://x' },
        'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
      ],
      [
        { 'webhooks.0.sideEffects': 'Some' },
        'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      ],
    ],
  ],
  APIService: [
    {
      metadata: { name: 'v1.example.com' },
      spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 },
    },
    [
      [{}],
      [
        { 'metadata.name': 'x' },
        'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.example.com"',
      ],
      [
        { 'spec.insecureSkipTLSVerify': true },
        'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
      ],
    ],
  ],
  CertificateSigningRequest: [
    REQUEST,
    [
      [{}],
      [{ 'spec.usages': [] }, 'spec.usages: Required value: usages is required'],
      [{ 'spec.request': 'eA==' }, 'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST'],
    ],
  ],
  SelfSubjectAccessReview: [
    { spec: { resourceAttributes: { verb: 'get' } } },
    [
      [{}],
      [
        { spec: {} },
        'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ],
    ],
  ],
};

describe.each(Object.entries(CASES))('%s', (kind, [sample, cases]) => {
  test.each(cases.map(([members, ...refused]) => [JSON.stringify(members).slice(0, 90), members, refused] as const))(
    'with %s',
    (_name, members, refused) => {
      expect(refusals(kind, withMembers(sample, members))).toEqual(refused);
    },
  );
});

const POD_ONLY =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const UPDATES: readonly (readonly [kind: string, sample: Body, members: Body, ...refused: string[]])[] = [
  ['Pod', POD, {}],
  ['Pod', POD, { [`${C}.image`]: 'nginx:2' }],
  ['Pod', POD, { 'spec.tolerations': [{ key: 'a', operator: 'Exists' }] }],
  ['Pod', POD, { 'spec.activeDeadlineSeconds': 10 }],
  ['Pod', POD, { [`${C}.command`]: ['x'] }, POD_ONLY],
  ['Pod', POD, { 'spec.nodeName': 'n1' }, POD_ONLY],
  [
    'Pod',
    POD,
    { 'spec.containers': [CONTAINER, { name: 'd', image: 'x' }] },
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  ['Deployment', WORKLOAD, { 'spec.replicas': 5 }],
  [
    'Deployment',
    WORKLOAD,
    { 'spec.selector.matchLabels.app': 'b', 'spec.template.metadata.labels.app': 'b' },
    'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
  ],
  ['StatefulSet', STATEFUL, { 'spec.replicas': 3, 'spec.minReadySeconds': 3 }],
  [
    'StatefulSet',
    STATEFUL,
    { 'spec.serviceName': 'other' },
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ],
  ['Secret', { type: 'a/b' }, { type: 'c/d' }, 'type: Invalid value: "c/d": field is immutable'],
  [
    'ConfigMap',
    { immutable: true, data: { a: 'b' } },
    { data: { a: 'c' } },
    'data: Forbidden: field is immutable when `immutable` is set',
  ],
  [
    'ConfigMap',
    { immutable: true, data: { a: 'b' } },
    { immutable: undefined },
    'immutable: Forbidden: field is immutable when `immutable` is set',
  ],
  [
    'Service',
    withMembers(SERVICE, { 'spec.clusterIP': '10.96.0.7' }),
    { 'spec.clusterIP': '10.96.0.8' },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
  ],
  ['Service', withMembers(SERVICE, { 'spec.clusterIP': '10.96.0.7' }), { 'spec.clusterIP': undefined }],
  [
    'PersistentVolumeClaim',
    CLAIM,
    { 'spec.accessModes': ['ReadOnlyMany'] },
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
  ],
  ['PersistentVolumeClaim', CLAIM, { 'spec.volumeName': 'pv1' }],
  [
    'PersistentVolume',
    VOLUME,
    { 'spec.hostPath.path': '/other' },
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  ],
  [
    'RoleBinding',
    BINDING,
    { 'roleRef.name': 'other' },
    'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"other"}: cannot change roleRef',
  ],
  [
    'StorageClass',
    { provisioner: 'a/b' },
    { provisioner: 'c/d' },
    'provisioner: Forbidden: updates to provisioner are forbidden.',
  ],
  ['PriorityClass', { value: 1 }, { value: 2 }, 'value: Forbidden: may not be changed in an update.'],
  [
    'Node',
    { spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] } },
    { 'spec.podCIDRs': ['10.2.0.0/24'] },
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
];

describe('updates', () => {
  test.each(
    UPDATES.map(
      ([kind, sample, members, ...refused]) =>
        [kind, JSON.stringify(members).slice(0, 80), sample, members, refused] as const,
    ),
  )('%s with %s', (kind, _name, sample, members, refused) => {
    expect(updateRefusals(kind, sample, withMembers(sample, members))).toEqual(refused);
  });
});
