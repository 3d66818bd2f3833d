export { ErrorCode } from './error-code.js';
export type {
  GrpcHandler,
  Handlers,
  HttpListener,
  HttpRequest,
  Status,
  StreamCall,
  StreamListener,
  UnaryCall,
} from './handlers.js';
export { LIMITS, type Limits } from './limits.js';
export { NodeSocket } from './node-socket.js';
export { H2Server, type H2ServerOptions } from './server.js';
export type { Socket, SocketListener } from './socket.js';
