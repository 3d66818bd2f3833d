import type { Flag } from './flag-set.js';

const STORE = 'Store';
const SERVING = 'Serving';
const CLUSTER = 'Cluster';
const ACCESS = 'Authentication and authorization';
const ADMISSION = 'Admission';
const LOOPS = 'Controllers';
const OTHER = 'Other';

function text(name: string, initial: string, group: string, help: string): Flag {
  return { name, kind: 'string', initial, group, help };
}

/** The flags of `keel kube`. Where a kube-apiserver has one for the purpose, it has its name. */
export const kubeFlags: readonly Flag[] = [
  text(
    'data-dir',
    'default.kube',
    STORE,
    'Folder of keys and certificates (pki/), of the kubeconfig, and of the embedded store (etcd/).',
  ),
  text(
    'etcd-servers',
    '',
    STORE,
    'Comma list of members (scheme://host:port) to keep state in. Without it a single member runs inside this process.',
  ),
  text('etcd-cafile', '', STORE, 'Authority of the members of --etcd-servers, PEM.'),
  text('etcd-certfile', '', STORE, 'Certificate to show to them, PEM.'),
  text('etcd-keyfile', '', STORE, 'Its key, PEM.'),
  text('etcd-user', '', STORE, 'name:password, where the store has authentication.'),
  text('etcd-prefix', '/registry', STORE, 'What all keys in the store begin with.'),
  {
    name: 'etcd-compaction-interval',
    kind: 'duration',
    initial: '5m0s',
    group: STORE,
    help: 'How often history is dropped; 0 for never.',
  },
  text(
    'embedded-client-url',
    'http://127.0.0.1:0',
    STORE,
    'Where the embedded member serves etcd clients; port 0 picks one.',
  ),
  text('bind-address', '127.0.0.1', SERVING, 'Address to listen on; 0.0.0.0 or :: for every one.'),
  { name: 'secure-port', kind: 'uint', initial: '6443', group: SERVING, help: 'Port of HTTPS; 0 picks one.' },
  text(
    'advertise-address',
    '',
    SERVING,
    'Address that others reach the server by. Default: the one of --bind-address, or the first of the machine.',
  ),
  text('external-hostname', '', SERVING, 'A further name of the server, for its certificate and the kubeconfig.'),
  text('tls-cert-file', '', SERVING, 'Certificate of the server, PEM, in place of the one that is made.'),
  text('tls-private-key-file', '', SERVING, 'Its key, PEM.'),
  text(
    'kubeconfig',
    '',
    SERVING,
    'Where to write the kubeconfig of an administrator. Default: admin.kubeconfig in --data-dir.',
  ),
  {
    name: 'max-requests-inflight',
    kind: 'uint',
    initial: '400',
    group: SERVING,
    help: 'Reads under way before others are sent away with 429; 0 for no limit.',
  },
  { name: 'max-mutating-requests-inflight', kind: 'uint', initial: '200', group: SERVING, help: 'Likewise writes.' },
  text('service-cluster-ip-range', '10.96.0.0/12', CLUSTER, 'Addresses of Services, CIDR.'),
  text('service-node-port-range', '30000-32767', CLUSTER, 'Ports of Services of type NodePort, both ends included.'),
  text('client-ca-file', '', ACCESS, 'Further authorities of client certificates, PEM.'),
  text('token-auth-file', '', ACCESS, 'Static tokens, CSV: token,user,uid,"group1,group2".'),
  {
    name: 'anonymous-auth',
    kind: 'bool',
    initial: 'true',
    group: ACCESS,
    help: 'Requests without credentials are those of system:anonymous.',
  },
  {
    name: 'authorization-mode',
    kind: 'string',
    initial: 'RBAC',
    group: ACCESS,
    choices: ['RBAC', 'AlwaysAllow'],
    help: 'RBAC, or AlwaysAllow.',
  },
  text('service-account-issuer', 'https://kubernetes.default.svc', ACCESS, 'Issuer of service-account tokens.'),
  text('api-audiences', '', ACCESS, 'Comma list of what tokens must be for. Default: the issuer.'),
  text('enable-admission-plugins', '', ADMISSION, 'Comma list of plug-ins besides those that are on by default.'),
  text('disable-admission-plugins', '', ADMISSION, 'Comma list of plug-ins to leave out.'),
  text(
    'controllers',
    '*',
    LOOPS,
    "Comma list of the loops to run: * for all, foo for the one of that name, -foo to leave it out; '' for none.",
  ),
  {
    name: 'nodes',
    kind: 'uint',
    initial: '0',
    group: LOOPS,
    help: 'How many simulated nodes run in this process: pods on them live by rules, which annotations change.',
  },
  {
    name: 'log-level',
    kind: 'string',
    initial: 'warn',
    group: OTHER,
    choices: ['debug', 'info', 'warn', 'error'],
    help: 'Of the lines on stderr.',
  },
];

const HEAD = `Usage:

  keel kube [flags]    a Kubernetes API on an etcd v3; kubectl finds it by the kubeconfig that is written

`;

export function kubeUsage(): string {
  const lines: string[] = [];
  for (const group of new Set(kubeFlags.map((flag) => flag.group))) {
    lines.push(`${group}:`);
    for (const flag of kubeFlags) {
      if (flag.group === group) lines.push(`  --${flag.name} '${flag.initial}'`, `    ${flag.help}`);
    }
    lines.push('');
  }
  return `${HEAD}${lines.join('\n')}`;
}
