/** APIService as its fields are used here. */
import type { KubeObject } from '../machinery/object.js';

export interface ApiServiceCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}
export interface ApiService extends KubeObject {
  spec: {
    /** Absent: this server answers itself. */
    service?: { namespace?: string; name?: string; port?: number };
    /** Empty or absent for core. */
    group?: string;
    version: string;
    insecureSkipTLSVerify?: boolean;
    /** base64 */
    caBundle?: string;
    groupPriorityMinimum: number;
    versionPriority: number;
  };
  status?: { conditions?: ApiServiceCondition[] };
}

export function availableCondition(service: ApiService): ApiServiceCondition | undefined {
  return service.status?.conditions?.find((condition) => condition.type === 'Available');
}
