/** The front door of custom resources and of the registration of APIs. */
import type { Kind } from '../kinds/kind.js';
import { definitionKind } from './definition-kind.js';

export type { ApiService } from './api-service.js';
export { ApiServices, type ApiServicesOptions, type RemoteService } from './api-services.js';
export { CrdKeeper, type CrdKeeperOptions } from './crd-keeper.js';
export { customKinds } from './custom-kind.js';
export type { Definition } from './definition.js';
export { definitionKind } from './definition-kind.js';
export { compareVersions } from './version-order.js';

/** For `builtinKinds({ extensions })`: built-in kinds that are only complete with what this room knows. */
export const extensionKinds: readonly Kind[] = [definitionKind];
