const UNKNOWN_AUTHORITY = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
const EXPIRED = 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
const NO_HANDSHAKE = 'tls: first record does not look like a TLS handshake';

/** What OpenSSL and Node call it, in the words that Go has for it and that etcd's operators know. */
const WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EXPIRED,
  INVALID_PURPOSE: 'tls: failed to verify certificate: x509: certificate specifies an incompatible key usage',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "tls: client didn't provide a certificate",
  ERR_SSL_HTTP_REQUEST: NO_HANDSHAKE,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_HANDSHAKE,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls: client offered only unsupported versions',
  ERR_SSL_NO_SHARED_CIPHER: 'tls: no cipher suite supported by both client and server',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'tls: client requested unsupported application protocols',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'tls: private key does not match public key',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'i/o timeout',
  ECONNRESET: 'EOF',
};

/** ERR_SSL_TLSV1_ALERT_UNKNOWN_CA, ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE, ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED ... */
const ALERT = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(.+)$/;
const ALERTS: Readonly<Record<string, string>> = {
  UNKNOWN_CA: 'unknown certificate authority',
  CERTIFICATE_UNKNOWN: 'unknown certificate',
  CERTIFICATE_EXPIRED: 'expired certificate',
  CERTIFICATE_REVOKED: 'revoked certificate',
  PROTOCOL_VERSION: 'protocol version not supported',
};

/** An error of a handshake as Go words it; what is unknown stays as it is. */
export function wordsOf(err: { readonly code?: string; readonly message: string } | string): string {
  const code = typeof err === 'string' ? err : (err.code ?? '');
  const known = WORDS[code];
  if (known !== undefined) return known;
  const alert = ALERT.exec(code)?.[1];
  if (alert !== undefined) return `remote error: tls: ${ALERTS[alert] ?? alert.toLowerCase().replaceAll('_', ' ')}`;
  if (typeof err === 'string') return err;
  const named =
    /^Hostname\/IP does not match certificate's altnames: (?:IP: (\S+) is not in the cert's list: (.*)|Host: (\S+?)\. is not in the cert's altnames: (.*))$/.exec(
      err.message,
    );
  if (named === null) return err.message;
  const names = (named[2] ?? named[4] ?? '').replace(/(?:DNS|IP Address):/g, '');
  return `tls: failed to verify certificate: x509: certificate is valid for ${names}, not ${named[1] ?? named[3]}`;
}
