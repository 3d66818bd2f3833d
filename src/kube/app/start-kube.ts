/** Puts a control plane together and starts it. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startKeepers } from '../admission/index.js';
import { CertificateAuthorities, DEFAULT_ISSUER, makeAuthentication, TokenKeys } from '../authn/index.js';
import type { Authorizer } from '../authz/index.js';
import { authorizationReviews, bootstrapRbac, RbacAuthorizer, WatchedRbac } from '../authz/index.js';
import { ApiServices, CrdKeeper, extensionKinds } from '../crd/index.js';
import type { Kind } from '../kinds/index.js';
import { builtinKinds, serviceRanges, storedAllocators } from '../kinds/index.js';
import type { ObjectStore, Registry } from '../registry/index.js';
import { openRegistry } from '../registry/index.js';
import { LiveReader } from '../rest/live-reader.js';
import { storeSpecOf } from '../rest/object-view.js';
import { openResources } from '../rest/open-resources.js';
import type { HealthCheck } from '../server/index.js';
import { openServer } from '../server/index.js';
import { advertisedAddress, firstServiceIp, localHost, serverHosts } from './addresses.js';
import { Admissions, checkPlugins } from './admissions.js';
import { startAllocationRepairs } from './allocation-repairs.js';
import { bootstrap } from './bootstrap.js';
import { selectControllers, startControllers } from './controllers.js';
import { kubeconfig } from './kubeconfig.js';
import { LocalAgents, startLocalNodes } from './nodes.js';
import type { KubeOptions, RunningKube } from './options.js';
import { openPki, writeSecret } from './pki.js';
import { TimedClient } from './timed-client.js';

const GRACE_MS = 5000;
/** Quiet watches of the store are asked how far they are: bookmarks and compaction need it. */
const PROGRESS_MS = 5000;
const CONNECTIONS_MAX = 10_000;
/** How long the store may take to answer for the first time. */
const STORE_WAIT_MS = 20_000;
/** How long the first look at roles may take before it serves without. */
const SYNC_MS = 5000;

/** Allows everything: --authorization-mode=AlwaysAllow. */
const ALWAYS: Authorizer = {
  authorize: async () => ({ allowed: true, reason: '' }),
  rulesFor: async () => ({
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  }),
};

/** @throws KubeConfigError, and what the store, the disk or the port say; nothing is left running then */
export async function startKube(options: KubeOptions): Promise<RunningKube> {
  const { log, dataDir, bindAddress = '127.0.0.1' } = options;
  const now = Date.now;
  const serviceCidr = options.serviceCidr ?? '10.96.0.0/12';
  const serviceIp = firstServiceIp(serviceCidr);
  checkPlugins(options);
  const loops = selectControllers(options.controllers ?? []);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const address = advertisedAddress(bindAddress, options.advertiseAddress);
  const hosts = serverHosts(bindAddress, serviceIp, [options.externalHostname, address]);
  const pki = openPki({ dir: join(dataDir, 'pki'), hosts, make: options.makeCertificate, now: now() });
  const clientCa = [pki.ca.cert, options.clientCa ?? ''].join('');
  const keys = await TokenKeys.of(pki.tokenKey);
  const closing: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const client = new TimedClient({
      endpoints: options.endpoints,
      ...(options.storeTls === undefined ? {} : { tls: options.storeTls }),
      ...(options.storeAuth === undefined ? {} : { auth: options.storeAuth }),
      watchProgressIntervalMs: PROGRESS_MS,
    });
    closing.push(() => client.close());
    const registry = openRegistry(client, {
      ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
      ...(options.compactionIntervalMs === undefined ? {} : { compactionIntervalMs: options.compactionIntervalMs }),
      ...(options.bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs: options.bookmarkIntervalMs }),
      logger: log,
    });
    closing.push(() => registry.stop());

    await reachable(registry, options.endpoints);
    const allocators = storedAllocators(registry, now);
    const ranges = { serviceCidr, ...(options.nodePorts === undefined ? {} : { nodePorts: options.nodePorts }) };
    const kinds = builtinKinds({ ...ranges, allocators, extensions: extensionKinds });
    const admissions = new Admissions();
    const resources = openResources({ registry, kinds, admission: admissions.chain, now });
    const objects = new LiveReader(kinds, resources);
    const rbac = options.authorization === 'AlwaysAllow' ? null : new WatchedRbac(kinds, resources);
    closing.push(() => rbac?.stop());
    const authorizer = rbac === null ? ALWAYS : new RbacAuthorizer(rbac);
    const issuer = options.issuer ?? DEFAULT_ISSUER;
    const authentication = makeAuthentication({
      keys,
      issuer,
      ...(options.audiences === undefined ? {} : { audiences: options.audiences }),
      objects,
      ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
      anonymous: options.anonymous ?? true,
    });
    admissions.open({ kinds, resources, live: objects, authorizer, options, now });
    closing.push(() => admissions.stop());

    const onError = (error: unknown, keeper: string, key: string): void =>
      log.warn('a keeper will try again', { keeper, key, error: String(error) });
    const services = new ApiServices({ resources, kinds, now, onError: (error) => onError(error, 'apiservices', '') });
    closing.push(() => services.stop());
    const crds = new CrdKeeper({
      resources,
      kinds,
      close: (dir) => registry.close(dir),
      onKindsChanged: () => void services.sync(),
      onError: (error, key) => onError(error, 'customresourcedefinitions', key),
      now,
    });
    closing.push(() => crds.stop());
    const storeOf = (kind: Kind): ObjectStore => registry.store(storeSpecOf(kind));
    let ready = false;
    let port = 0;
    const checks: HealthCheck[] = [
      { name: 'etcd', check: () => registry.healthy() },
      { name: 'poststarthook/bootstrap', readyOnly: true, check: async () => mustBe(ready) },
      { name: 'poststarthook/rbac', readyOnly: true, check: async () => mustBe(rbac?.synced ?? true) },
    ];
    const agents = new LocalAgents();
    const server = openServer({
      parts: {
        kinds,
        resources,
        registry,
        storeOf,
        authenticate: authentication.authenticate,
        authorizer,
        admission: admissions.chain,
        virtual: new Map([...authentication.handlers, ...authorizationReviews(authorizer)]),
        now,
      },
      objects,
      tokenKeys: keys,
      issuer,
      checks,
      services,
      agents,
      proxyCert: pki.frontProxyClient.cert,
      proxyKey: pki.frontProxyClient.key,
      advertised: () => `${address}:${port}`,
      host: bindAddress,
      port: options.port ?? 6443,
      cert: options.serverCert ?? pki.server.cert,
      key: options.serverKey ?? pki.server.key,
      clientCa: clientCa + pki.frontProxyCa.cert,
      authorities: new CertificateAuthorities({ client: clientCa, frontProxy: pki.frontProxyCa.cert }),
      maxConnections: CONNECTIONS_MAX,
      maxInflight: options.maxInflight ?? 400,
      maxMutatingInflight: options.maxMutatingInflight ?? 200,
      log,
    });
    client.observer = server.observeStore;
    port = await server.listen();
    closing.push(() => server.stop(GRACE_MS));
    const where = {
      kinds,
      resources,
      storeOf,
      now,
      serviceIp,
      address,
      port,
      clientCa,
      frontProxyCa: pki.frontProxyCa.cert,
    };
    await bootstrap(where);
    closing.push(startAllocationRepairs({ allocators, ranges: serviceRanges(ranges), objects, now }, log));
    closing.push(
      startKeepers({
        kinds,
        resources,
        cached: admissions.cached,
        pending: admissions.pending,
        live: objects,
        ca: pki.ca.cert,
        tokens: authentication,
        namespaces: !loops.some(([name]) => name === 'namespace-controller'),
        onError,
      }),
    );
    if (rbac !== null) {
      await bootstrapRbac(kinds, resources);
      await rbac.start().whenSynced(SYNC_MS);
    }
    await crds.start(SYNC_MS);
    await services.start(SYNC_MS);
    server.probe();
    ready = true;

    const url = `https://${options.externalHostname ?? localHost(bindAddress)}:${port}`;
    const file = resolve(options.kubeconfig ?? join(dataDir, 'admin.kubeconfig'));
    const { cert, key } = pki.admin;
    const ca = options.serverCert ?? pki.ca.cert;
    writeSecret(file, kubeconfig({ server: url, ca, cert, key }));
    // A certificate of one's own may be good for the further name only.
    const own = options.serverCert === undefined ? `https://${localHost(bindAddress)}:${port}` : url;
    if (loops.length > 0) {
      const controllers = startControllers({ client: { server: own, ca, cert, key }, loops, log });
      closing.push(() => controllers.stop());
    }
    const { nodes: count = 0 } = options;
    if (count > 0) {
      const nodes = startLocalNodes({ client: { server: own, ca, cert, key }, log, count, agents });
      closing.push(() => nodes.stop());
    }
    let stopping: Promise<void> | undefined;
    return {
      url,
      kubeconfig: file,
      stop() {
        stopping ??= close();
        return stopping;
      },
    };
  } catch (err) {
    await close();
    throw err;
  }
}

/** The members may be starting, too. @throws Error naming them */
async function reachable(registry: Registry, endpoints: readonly string[]): Promise<void> {
  const until = performance.now() + STORE_WAIT_MS;
  for (;;) {
    try {
      return await registry.healthy();
    } catch (err) {
      if (performance.now() < until) continue;
      throw new Error(`the store at ${endpoints.join(',')} does not answer: ${(err as Error).message}`);
    }
  }
}

function mustBe(done: boolean): void {
  if (!done) throw new Error('not finished');
}
