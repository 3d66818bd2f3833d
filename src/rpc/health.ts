import type { MemberApi } from '../server/index.js';
import type { HealthCheckRequest } from '../wire/index.js';
import {
  Health,
  HealthCheckRequest as HealthCheckCodec,
  HealthCheckResponse,
  HealthListResponse,
  ServingStatus,
  WireError,
} from '../wire/index.js';
import type { StreamCall, StreamHandlers, UnaryCall } from './call.js';
import { RPC_STATUS, undecodableInStream } from './errors.js';
import type { Route } from './route.js';
import { stream, unary } from './route.js';

/** grpc.health.v1.Health: one service, the empty name, that serves as long as it can be asked (etcd wire §4). */
export const healthRoutes: Route[] = [
  unary(Health.Check, check),
  stream(Health.Watch, (_member, call) => new HealthWatchCall(call)),
  unary(Health.List, list),
];

const SERVING = HealthCheckResponse.encode({ status: ServingStatus.SERVING });
const SERVICE_UNKNOWN = HealthCheckResponse.encode({ status: ServingStatus.SERVICE_UNKNOWN });

function check(_member: MemberApi, { service }: HealthCheckRequest, call: UnaryCall): void {
  if (service === '') call.reply(SERVING);
  else call.refuse(RPC_STATUS.unknownHealthService);
}

function list(_member: MemberApi, _request: unknown, call: UnaryCall): void {
  call.reply(HealthListResponse.encode({ statuses: [{ key: '', value: { status: ServingStatus.SERVING } }] }));
}

/** Says how the service is and then nothing: it does not change while the server runs. */
class HealthWatchCall implements StreamHandlers {
  readonly #call: StreamCall;

  constructor(call: StreamCall) {
    this.#call = call;
  }

  onMessage(message: Buffer): void {
    try {
      const { service } = HealthCheckCodec.decode(message);
      this.#call.send(service === '' ? SERVING : SERVICE_UNKNOWN);
    } catch (err) {
      if (!(err instanceof WireError)) throw err;
      this.#call.end(undecodableInStream(err.message));
    }
  }

  onHalfClose(): void {}
  onDrain(): void {}
  onClose(): void {}
}
