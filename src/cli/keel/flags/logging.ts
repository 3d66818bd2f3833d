import { group } from './declare.js';

const TRACING = { unbuilt: 'distributed tracing is not built' };

export const MONITORING = group('Profiling and Monitoring', [
  ['enable-pprof', 'bool', 'false', 'Enable profiles at the client URLs + "/debug/pprof/".'],
  [
    'metrics',
    'string',
    'basic',
    "Detail of exported metrics, 'basic' or 'extensive' (with histograms of each rpc).",
    { choices: ['basic', 'extensive'] },
  ],
  ['listen-metrics-urls', 'urls', '', 'List of URLs to listen on for /metrics and /health.'],
]);

export const LOGGING = group('Logging', [
  ['logger', 'string', 'zap', "Only 'zap': structured lines."],
  ['log-outputs', 'string', 'default', "'default' or 'stderr', 'stdout', or a comma list of these and of file paths."],
  [
    'log-level',
    'string',
    'info',
    'debug, info, warn, error, panic or fatal. SIGUSR2 switches to debug and back while the member runs.',
  ],
  ['log-format', 'string', 'json', "'json' or 'console'."],
  ['enable-log-rotation', 'bool', 'false', 'Enable log rotation of a single log-outputs file target.'],
  [
    'log-rotation-config-json',
    'string',
    '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}',
    'Log rotation: maxsize (MB), maxage (days, 0: no limit), maxbackups (0: no limit), localtime, compress (gzip).',
  ],
  ['warning-unary-request-duration', 'duration', '300ms', 'Warn of unary requests that take longer.'],
]);

export const TRACING_FLAGS = group('Distributed tracing', [
  ['enable-distributed-tracing', 'bool', 'false', 'Enable distributed tracing.', TRACING],
  ['distributed-tracing-address', 'string', 'localhost:4317', 'Address of the collector.', TRACING],
  ['distributed-tracing-service-name', 'string', 'etcd', 'Service name, the same across all members.', TRACING],
  ['distributed-tracing-instance-id', 'string', '', 'Instance id, unique for each member.', TRACING],
  ['distributed-tracing-sampling-rate', 'int', '0', 'Samples per million spans.', TRACING],
]);
