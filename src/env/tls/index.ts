export { tlsVersions } from './cipher-suites.js';
export { PEER_PROTOCOLS, TlsDialer } from './dialer.js';
export { mustFit, read } from './files.js';
export { selfSigned } from './self-signed.js';
export { TlsServer } from './server.js';
export { TlsError, type TlsSettings, type TlsVersions, tlsDefaults } from './settings.js';
export { wordsOf } from './words.js';
