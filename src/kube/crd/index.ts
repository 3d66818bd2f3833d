/** The front door of custom resources and of the registration of APIs. */
import type { Kind } from '../kinds/kind.js';
import { apiServiceKind } from './api-service-kind.js';
import { definitionKind } from './definition-kind.js';

export { type ApiService, apiServiceKind } from './api-service-kind.js';
export { ApiServices, type ApiServicesOptions, type RemoteService } from './api-services.js';
export { CrdKeeper, type CrdKeeperOptions } from './crd-keeper.js';
export { customKinds } from './custom-kind.js';
export type { Definition } from './definition.js';
export { definitionKind } from './definition-kind.js';
export { compareVersions } from './version-order.js';

/** Kinds that a server adds to the built-in ones before it makes the registry of them. */
export const extensionKinds: readonly Kind[] = [definitionKind, apiServiceKind];
