import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { ApiClientOptions } from './http-client.js';

interface KubeConfig {
  readonly clusters?: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
  readonly users?: readonly { readonly name: string; readonly user: Record<string, unknown> }[];
  readonly contexts?: readonly { readonly name: string; readonly context: { cluster: string; user: string } }[];
  readonly 'current-context'?: string;
}

/**
 * How to reach the cluster that a kubeconfig's current context names: certificates, key, token, each inline or by file.
 * @throws Error that names what is missing, or a means of authentication that is not known here (`exec`)
 */
export function fromKubeconfig(file: string, contextName?: string): ApiClientOptions {
  const config = parse(readFileSync(file, 'utf8')) as KubeConfig;
  const wanted = contextName ?? config['current-context'];
  const context = config.contexts?.find((c) => c.name === wanted)?.context;
  if (context === undefined) throw new Error(`${file}: no context ${JSON.stringify(wanted ?? '')}`);
  const cluster = config.clusters?.find((c) => c.name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`${file}: no cluster ${JSON.stringify(context.cluster)}`);
  const user = config.users?.find((u) => u.name === context.user)?.user ?? {};
  if (user.exec !== undefined)
    throw new Error(`${file}: user ${JSON.stringify(context.user)} logs in by exec, which is not known here`);
  const bytes = (of: Record<string, unknown>, name: string): Buffer | undefined => {
    const inline = of[`${name}-data`];
    if (typeof inline === 'string') return Buffer.from(inline, 'base64');
    const path = of[name];
    return typeof path === 'string' ? readFileSync(resolve(dirname(file), path)) : undefined;
  };
  const ca = bytes(cluster, 'certificate-authority');
  const cert = bytes(user, 'client-certificate');
  const key = bytes(user, 'client-key');
  const tokenFile = user.tokenFile;
  const token =
    typeof tokenFile === 'string' ? readFileSync(resolve(dirname(file), tokenFile), 'utf8').trim() : user.token;
  return {
    server: String(cluster.server),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(typeof token === 'string' ? { token } : {}),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
  };
}
