import { userInfoJson } from '../authn/index.js';
import type { AdmissionPlugin, AdmissionRequest } from '../rest/admission.js';

/**
 * Who asks for a certificate is whoever sends the request, whatever it says of itself: signers decide by it. Not to be
 * switched off.
 */
export class CsrRequestor implements AdmissionPlugin {
  readonly name = 'CertificateRequestor';

  async admit({ kind, operation, subresource, object, oldObject, user }: AdmissionRequest): Promise<void> {
    if (kind.group !== 'certificates.k8s.io' || kind.plural !== 'certificatesigningrequests' || object === null) return;
    if (subresource !== '') return;
    const { username, uid, groups, extra, ...rest } = object.spec ?? {};
    void [username, uid, groups, extra];
    const who = operation === 'CREATE' ? userInfoJson(user) : requestorOf(oldObject?.spec);
    object.spec = { ...rest, ...who };
  }
}

function requestorOf(spec: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const who: Record<string, unknown> = {};
  for (const member of ['username', 'uid', 'groups', 'extra'])
    if (spec[member] !== undefined) who[member] = spec[member];
  return who;
}
