import type { Session } from 'node:inspector';
import type { HttpHandler, HttpResponse, Respond } from './http.js';
import { httpError, plain } from './http.js';

/** Where profiles are, with --enable-pprof. */
export const PROFILES = '/debug/pprof/';

const SECONDS_DEFAULT = 30;
const SECONDS_MAX = 300;

const INDEX = `/debug/pprof/

profile?seconds=30   CPU profile (.cpuprofile, for Chrome's and VS Code's profilers)
heap?seconds=30      allocations that were still alive at the end (.heapprofile); gc=1 collects garbage before
cmdline              the command line, parts separated by NUL
`;

/** A profiler of V8's, by the methods of its protocol. */
interface Profiler {
  readonly file: string;
  readonly start: string;
  readonly stop: string;
  readonly enable: string | null;
}

const CPU: Profiler = {
  file: 'keel.cpuprofile',
  start: 'Profiler.start',
  stop: 'Profiler.stop',
  enable: 'Profiler.enable',
};
const HEAP: Profiler = {
  file: 'keel.heapprofile',
  start: 'HeapProfiler.startSampling',
  stop: 'HeapProfiler.stopSampling',
  enable: null,
};

/** Profiles of the process on demand, where an etcd has Go's pprof. One is taken at a time; it costs while it runs. */
export function profileHandlers(): readonly (readonly [string, HttpHandler])[] {
  let busy = false;
  const take = (profiler: Profiler): HttpHandler => {
    return ({ query }, respond) => {
      const seconds = secondsOf(query.get('seconds'));
      if (seconds === null) return respond(httpError(400, 'seconds: a number from 1 to 300 is meant'));
      if (busy) return respond(httpError(500, 'another profile is being taken'));
      busy = true;
      record(profiler, seconds * 1000, query.get('gc') === '1').then(
        (response) => finish(response),
        (err: Error) => finish(httpError(500, err.message)),
      );
      const finish: Respond = (response) => {
        busy = false;
        respond(response);
      };
    };
  };
  return [
    ['', (_, respond) => respond(plain(200, INDEX))],
    ['cmdline', (_, respond) => respond(plain(200, process.argv.join('\0')))],
    ['profile', take(CPU)],
    ['heap', take(HEAP)],
  ];
}

function secondsOf(text: string | null): number | null {
  const seconds = text === null ? SECONDS_DEFAULT : Number(text);
  return seconds > 0 && seconds <= SECONDS_MAX ? seconds : null;
}

async function record(profiler: Profiler, ms: number, collects: boolean): Promise<HttpResponse> {
  // The inspector takes memory of its own: it is loaded when somebody asks.
  const inspector = await import('node:inspector');
  const session = new inspector.Session();
  session.connect();
  try {
    if (collects) await post(session, 'HeapProfiler.collectGarbage');
    if (profiler.enable !== null) await post(session, profiler.enable);
    await post(session, profiler.start);
    await new Promise((done) => setTimeout(done, ms));
    const { profile } = (await post(session, profiler.stop)) as { profile: unknown };
    return {
      status: 200,
      headers: {
        'Content-Type': 'application/json',
        'Content-Disposition': `attachment; filename="${profiler.file}"`,
        'X-Content-Type-Options': 'nosniff',
      },
      body: JSON.stringify(profile),
    };
  } finally {
    session.disconnect();
  }
}

function post(session: Session, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, (err, result) => {
      if (err === null) resolve(result);
      else reject(err);
    });
  });
}
