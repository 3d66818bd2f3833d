import { group } from './declare.js';

const OWN_CALLS = { inert: 'the gateway calls within the process' };

export const SECURITY = group('Security', [
  ['cert-file', 'string', '', 'Path to the client server TLS cert file.'],
  ['key-file', 'string', '', 'Path to the client server TLS key file.'],
  ['client-cert-auth', 'bool', 'false', 'Enable client cert authentication.'],
  ['client-cert-file', 'string', '', 'Cert file for calls of this member, else --cert-file.', OWN_CALLS],
  ['client-key-file', 'string', '', 'Key file for calls of this member, else --key-file.', OWN_CALLS],
  ['client-crl-file', 'string', '', 'Path to the client certificate revocation list file, DER or PEM.'],
  ['client-cert-allowed-hostname', 'string', '', 'Comma list of SAN hostnames for client cert authentication.'],
  ['trusted-ca-file', 'string', '', 'Path to the client server TLS trusted CA cert file.'],
  ['auto-tls', 'bool', 'false', 'Client TLS using generated certificates.'],
  ['peer-cert-file', 'string', '', 'Path to the peer server TLS cert file.'],
  ['peer-key-file', 'string', '', 'Path to the peer server TLS key file.'],
  ['peer-client-cert-auth', 'bool', 'false', 'Enable peer client cert authentication.'],
  ['peer-client-cert-file', 'string', '', 'Cert file for calls to peers, else --peer-cert-file.'],
  ['peer-client-key-file', 'string', '', 'Key file for calls to peers, else --peer-key-file.'],
  ['peer-trusted-ca-file', 'string', '', 'Path to the peer server TLS trusted CA file.'],
  ['peer-cert-allowed-cn', 'string', '', 'Comma list of allowed CNs for inter-peer TLS authentication.'],
  ['peer-cert-allowed-hostname', 'string', '', 'Comma list of allowed SAN hostnames for inter-peer TLS.'],
  ['peer-auto-tls', 'bool', 'false', 'Peer TLS using self-generated certificates.'],
  ['peer-crl-file', 'string', '', 'Path to the peer certificate revocation list file, DER or PEM.'],
  ['peer-skip-client-san-verification', 'bool', 'false', 'Skip verification of SAN fields of peers.'],
  ['self-signed-cert-validity', 'uint', '1', 'Validity of generated certificates, in years.'],
  ['cipher-suites', 'string', '', 'Comma list of supported TLS cipher suites (empty: those of Node).'],
  ['tls-min-version', 'string', 'TLS1.2', 'Minimum TLS version: TLS1.2 or TLS1.3.'],
  ['tls-max-version', 'string', '', 'Maximum TLS version: TLS1.2 or TLS1.3.'],
  ['cors', 'string', '*', 'Comma list of origins for cross-origin resource sharing (empty or * means all).'],
  [
    'host-whitelist',
    'string',
    '*',
    'Acceptable hostnames from HTTP client requests, if server is not secure (empty or * means all).',
  ],
]);

export const AUTH = group('Auth', [
  [
    'auth-token',
    'string',
    'simple',
    "'simple' or 'jwt,pub-key=<file>,priv-key=<file>,sign-method=<method>,ttl=<duration>'.",
  ],
  ['bcrypt-cost', 'uint', '10', 'Cost of hashing a password, 4 to 31.'],
  ['auth-token-ttl', 'uint', '300', 'Time (in seconds) that a simple token lives without being used.'],
]);
