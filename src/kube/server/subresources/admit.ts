import type { Kind } from '../../kinds/kind.js';
import type { KubeObject } from '../../machinery/object.js';
import type { AdmissionOperation, AdmissionRequest } from '../../rest/admission.js';
import type { Exchange } from '../exchange.js';
import { namespaceOf } from '../list-query.js';
import type { ServerParts } from '../parts.js';

/** What does not pass through a resource passes admission here: bindings, evictions, connections. @throws ApiError */
export async function admitSubresource(
  parts: ServerParts,
  exchange: Exchange,
  kind: Kind,
  operation: AdmissionOperation,
  object: KubeObject | null,
  dryRun = false,
): Promise<void> {
  const { info, user, warn } = exchange;
  const request: AdmissionRequest = {
    operation,
    kind,
    subresource: info.subresource,
    namespace: namespaceOf(info, kind),
    name: info.name,
    user,
    dryRun,
    options: {},
    object,
    oldObject: null,
    warn,
  };
  await parts.admission.admit(request);
  await parts.admission.validate(request);
}
