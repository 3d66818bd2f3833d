import type { Route, Tally } from '../../rpc/index.js';
import type { Rpc } from '../../wire/index.js';
import type { Labels, Metrics, Sample } from './pulled.js';

/** Where calls are counted: the router. */
export interface RpcCounts {
  readonly routes: Iterable<Route>;
  tally(route: Route): Tally;
  readonly clientVersions: Readonly<Record<'unary' | 'stream', Iterable<readonly [string, number]>>>;
}

/** gRPC's codes as Go prints them. */
const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** Calls by service and method, under the names of gRPC's Prometheus library; every method is there from the start. */
export function rpcMetrics(metrics: Metrics, counts: RpcCounts, extensive: boolean): void {
  const tallies = [...counts.routes]
    .filter((route) => route.kind !== 'missing')
    .map((route) => ({ tally: counts.tally(route), labels: labelsOf(route.rpc) }));
  const each = (value: (tally: Tally) => number): (() => Sample[]) => {
    return () => tallies.map(({ tally, labels }) => ({ labels, value: value(tally) }));
  };
  const sum = (value: (tally: Tally) => number): (() => number) => {
    return () => tallies.reduce((total, { tally }) => total + value(tally), 0);
  };
  metrics.counters(
    'grpc_server_started_total',
    'Total number of RPCs started on the server.',
    each((tally) => tally.started),
  );
  metrics.counters(
    'grpc_server_msg_received_total',
    'Total number of RPC stream messages received on the server.',
    each((tally) => tally.received),
  );
  metrics.counters(
    'grpc_server_msg_sent_total',
    'Total number of gRPC stream messages sent by the server.',
    each((tally) => tally.sent),
  );
  metrics.counters(
    'grpc_server_handled_total',
    'Total number of RPCs completed on the server, regardless of success or failure.',
    () =>
      tallies.flatMap(({ tally, labels }) =>
        CODES.map((code, i) => ({ labels: { grpc_code: code, ...labels }, value: tally.handled[i] ?? 0 })),
      ),
  );
  if (extensive) {
    metrics.histograms(
      'grpc_server_handling_seconds',
      'Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.',
      () => tallies.flatMap(({ tally, labels }) => (tally.times === null ? [] : [[labels, tally.times] as const])),
    );
  }
  metrics.counter(
    'etcd_network_client_grpc_received_bytes_total',
    'The total number of bytes received from grpc clients.',
    sum((tally) => tally.receivedBytes),
  );
  metrics.counter(
    'etcd_network_client_grpc_sent_bytes_total',
    'The total number of bytes sent to grpc clients.',
    sum((tally) => tally.sentBytes),
  );
  metrics.counters(
    'etcd_server_client_requests_total',
    'The total number of client requests per client version.',
    function* () {
      for (const type of ['stream', 'unary'] as const) {
        for (const [version, value] of counts.clientVersions[type]) {
          if (value > 0) yield { labels: { client_api_version: version, type }, value };
        }
      }
    },
  );
}

function labelsOf({ service, name, clientStreaming, serverStreaming }: Rpc): Labels {
  return { grpc_method: name, grpc_service: service, grpc_type: typeOf(clientStreaming, serverStreaming) };
}

function typeOf(clientStreaming: boolean, serverStreaming: boolean): string {
  if (clientStreaming) return serverStreaming ? 'bidi_stream' : 'client_stream';
  return serverStreaming ? 'server_stream' : 'unary';
}
