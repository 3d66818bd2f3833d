import type { MessageType } from './codec.js';
import { always, define, enumeration, list, message, string } from './codec.js';

// grpc.health.v1

export const ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

export const HealthCheckRequest = define('grpc.health.v1.HealthCheckRequest', { service: string(1) });
export type HealthCheckRequest = MessageType<typeof HealthCheckRequest>;
export const HealthCheckResponse = define('grpc.health.v1.HealthCheckResponse', {
  status: enumeration(1, ServingStatus),
});
export type HealthCheckResponse = MessageType<typeof HealthCheckResponse>;

export const HealthListRequest = define('grpc.health.v1.HealthListRequest', {});
export type HealthListRequest = MessageType<typeof HealthListRequest>;

/** One entry of the map in a HealthListResponse; on the wire a map is a list of these. */
export const HealthListEntry = define('grpc.health.v1.HealthListResponse.StatusesEntry', {
  key: always(string(1)),
  value: message(2, () => HealthCheckResponse),
});
export type HealthListEntry = MessageType<typeof HealthListEntry>;
export const HealthListResponse = define('grpc.health.v1.HealthListResponse', {
  statuses: list(message(1, () => HealthListEntry)),
});
export type HealthListResponse = MessageType<typeof HealthListResponse>;
