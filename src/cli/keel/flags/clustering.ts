import { group } from './declare.js';

const DISCOVERY = { unbuilt: 'discovery is not built; use --initial-cluster' };
const NO_V2 = { inert: 'there is no v2 store' };

export const CLUSTERING = group('Clustering', [
  [
    'initial-advertise-peer-urls',
    'urls',
    'http://localhost:2380',
    "List of this member's peer URLs to advertise to the rest of the cluster.",
  ],
  [
    'initial-cluster',
    'string',
    '',
    'Initial cluster configuration for bootstrapping: name=url,name=url.',
    { shown: 'default=http://localhost:2380' },
  ],
  [
    'initial-cluster-state',
    'string',
    'new',
    "Initial cluster state ('new' or 'existing'). Ignored on restarts.",
    { choices: ['new', 'existing'] },
  ],
  ['initial-cluster-token', 'string', 'etcd-cluster', 'Initial cluster token for the cluster during bootstrap.'],
  [
    'advertise-client-urls',
    'urls',
    'http://localhost:2379',
    "List of this member's client URLs to advertise to the public.",
  ],
  ['discovery-token', 'string', '', 'V3 discovery: token of the cluster to bootstrap.', DISCOVERY],
  ['discovery-endpoints', 'string', '', 'V3 discovery: endpoints of the discovery service.', DISCOVERY],
  ['discovery-dial-timeout', 'duration', '2s', 'V3 discovery: dial timeout.', DISCOVERY],
  ['discovery-request-timeout', 'duration', '5s', 'V3 discovery: timeout of a request.', DISCOVERY],
  ['discovery-keepalive-time', 'duration', '2s', 'V3 discovery: keepalive time.', DISCOVERY],
  ['discovery-keepalive-timeout', 'duration', '6s', 'V3 discovery: keepalive timeout.', DISCOVERY],
  ['discovery-insecure-transport', 'bool', 'true', 'V3 discovery: without transport security.', DISCOVERY],
  ['discovery-insecure-skip-tls-verify', 'bool', 'false', 'V3 discovery: skip verification.', DISCOVERY],
  ['discovery-cert', 'string', '', 'V3 discovery: client certificate file.', DISCOVERY],
  ['discovery-key', 'string', '', 'V3 discovery: client key file.', DISCOVERY],
  ['discovery-cacert', 'string', '', 'V3 discovery: CA bundle.', DISCOVERY],
  ['discovery-user', 'string', '', 'V3 discovery: username[:password].', DISCOVERY],
  ['discovery-password', 'string', '', 'V3 discovery: password.', DISCOVERY],
  ['discovery', 'string', '', 'V2 discovery URL. Gone in 3.7.', DISCOVERY],
  ['discovery-proxy', 'string', '', 'HTTP proxy to the v2 discovery service.', DISCOVERY],
  [
    'discovery-fallback',
    'string',
    'exit',
    'What to do when discovery fails.',
    { choices: ['exit', 'proxy'], inert: 'without discovery there is nothing to fall back from' },
  ],
  ['discovery-srv', 'string', '', 'DNS srv domain used to bootstrap the cluster.', DISCOVERY],
  ['discovery-srv-name', 'string', '', 'Suffix to the dns srv name queried when bootstrapping.', DISCOVERY],
  ['strict-reconfig-check', 'bool', 'true', 'Reject reconfiguration requests that would cause quorum loss.'],
  ['pre-vote', 'bool', 'true', 'Ask for votes before an election, so that a member that comes back does not disturb.'],
  ['auto-compaction-mode', 'string', 'periodic', "'periodic' or 'revision'."],
  [
    'auto-compaction-retention',
    'string',
    '0',
    "Retention: hours or a duration if periodic, a number if 'revision'; 0 means disabled.",
  ],
  ['enable-v2', 'bool', 'false', 'Accept v2 requests. Gone in 3.6.', NO_V2],
  [
    'v2-deprecation',
    'string',
    'write-only',
    'Phase of the v2 store deprecation. Deprecated in 3.6.',
    { choices: ['write-only', 'write-only-drop-data', 'gone'], ...NO_V2 },
  ],
]);

/** The v2 proxy of 3.5. */
export const PROXY = group('v2 Proxy', [
  [
    'proxy',
    'string',
    'off',
    "Proxy mode ('off', 'readonly' or 'on').",
    { choices: ['off', 'readonly', 'on'], unbuilt: 'there is no v2 proxy' },
  ],
  ['proxy-failure-wait', 'uint', '5000', 'Time (in milliseconds) an endpoint is held in a failed state.', NO_V2],
  ['proxy-refresh-interval', 'uint', '30000', 'Time (in milliseconds) of the refresh interval.', NO_V2],
  ['proxy-dial-timeout', 'uint', '1000', 'Time (in milliseconds) for a dial to timeout.', NO_V2],
  ['proxy-write-timeout', 'uint', '5000', 'Time (in milliseconds) for a write to timeout.', NO_V2],
  ['proxy-read-timeout', 'uint', '0', 'Time (in milliseconds) for a read to timeout.', NO_V2],
]);
