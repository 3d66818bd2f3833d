/** The file by which kubectl finds the server and who asks. Source: kubeconfig v1. */
import { stringify } from 'yaml';

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM, all. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export function kubeconfig({ server, ca, cert, key }: KubeconfigOptions): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'keel', cluster: { server, 'certificate-authority-data': base64(ca) } }],
      users: [{ name: 'admin', user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
      contexts: [{ name: 'keel', context: { cluster: 'keel', user: 'admin' } }],
      'current-context': 'keel',
      preferences: {},
    },
    { lineWidth: 0 },
  );
}
