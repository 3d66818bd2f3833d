import { group } from './declare.js';

const TLS = { unbuilt: 'TLS is not built yet' };

export const SECURITY = group('Security', [
  ['cert-file', 'string', '', 'Path to the client server TLS cert file.', TLS],
  ['key-file', 'string', '', 'Path to the client server TLS key file.', TLS],
  ['client-cert-auth', 'bool', 'false', 'Enable client cert authentication.', TLS],
  ['client-cert-file', 'string', '', 'Cert file for calls of this member, else --cert-file.', TLS],
  ['client-key-file', 'string', '', 'Key file for calls of this member, else --key-file.', TLS],
  ['client-crl-file', 'string', '', 'Path to the client certificate revocation list file.', TLS],
  ['client-cert-allowed-hostname', 'string', '', 'Comma list of SAN hostnames for client cert authentication.', TLS],
  ['trusted-ca-file', 'string', '', 'Path to the client server TLS trusted CA cert file.', TLS],
  ['auto-tls', 'bool', 'false', 'Client TLS using generated certificates.', TLS],
  ['peer-cert-file', 'string', '', 'Path to the peer server TLS cert file.', TLS],
  ['peer-key-file', 'string', '', 'Path to the peer server TLS key file.', TLS],
  ['peer-client-cert-auth', 'bool', 'false', 'Enable peer client cert authentication.', TLS],
  ['peer-client-cert-file', 'string', '', 'Cert file for calls to peers, else --peer-cert-file.', TLS],
  ['peer-client-key-file', 'string', '', 'Key file for calls to peers, else --peer-key-file.', TLS],
  ['peer-trusted-ca-file', 'string', '', 'Path to the peer server TLS trusted CA file.', TLS],
  ['peer-cert-allowed-cn', 'string', '', 'Comma list of allowed CNs for inter-peer TLS authentication.', TLS],
  ['peer-cert-allowed-hostname', 'string', '', 'Comma list of allowed SAN hostnames for inter-peer TLS.', TLS],
  ['peer-auto-tls', 'bool', 'false', 'Peer TLS using self-generated certificates.', TLS],
  ['peer-crl-file', 'string', '', 'Path to the peer certificate revocation list file.', TLS],
  ['peer-skip-client-san-verification', 'bool', 'false', 'Skip verification of SAN fields of peers.', TLS],
  ['self-signed-cert-validity', 'uint', '1', 'Validity of generated certificates, in years.', TLS],
  ['cipher-suites', 'string', '', 'Comma list of supported TLS cipher suites (empty: those of Node).', TLS],
  ['tls-min-version', 'string', 'TLS1.2', 'Minimum TLS version: TLS1.2 or TLS1.3.', TLS],
  ['tls-max-version', 'string', '', 'Maximum TLS version: TLS1.2 or TLS1.3.', TLS],
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
