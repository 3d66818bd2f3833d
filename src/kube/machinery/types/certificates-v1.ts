/** Wire types of certificates.v1, one message a line (grammar: `line.ts`). Made by scripts/kube-types.mjs: facts, not code. */
import type { TypeGroup } from './type-group.js';

export const certificatesV1: TypeGroup = {
  name: 'certificates.v1',
  group: 'certificates.k8s.io',
  version: 'v1',
  openapi: 'io.k8s.api.certificates.v1',
  table: `
CertificateSigningRequest = 1 metadata meta.v1/ObjectMeta; 2 spec CertificateSigningRequestSpec!; 3 status CertificateSigningRequestStatus
CertificateSigningRequestCondition = 1 type s!; 6 status s!; 2 reason s; 3 message s; 4 lastUpdateTime meta.v1/Time; 5 lastTransitionTime meta.v1/Time
CertificateSigningRequestSpec = 1 request y!; 7 signerName s!; 8 expirationSeconds i?; 5 usages s*; 2 username s; 3 uid s; 4 groups s*; 6 extra {s,ExtraValue}
CertificateSigningRequestStatus = 1 conditions CertificateSigningRequestCondition*#type; 2 certificate y
`,
};
