export { StreamCall, type StreamHandlers, UnaryCall } from './call.js';
export { Code, OK, SERVER_STATUS, type Status, statusOf } from './errors.js';
export { GRPC_DEFAULTS, GrpcJsServer, type GrpcServerOptions } from './grpc-js/server.js';
export { H2GrpcServer } from './h2/server.js';
export type { Route, StreamRoute, UnaryRoute } from './route.js';
export { Router, type RouterOptions } from './router.js';
export { SlowCalls } from './slow-calls.js';
export { ClientVersions, Tally } from './tally.js';
