import { AlarmType, decodeInternalRequest } from '../../wire/index.js';
import type { Kv, KvEvent, LogRevision, SimpleOp, TxnOp } from '../checkers/index.js';
import { applyEvents, evaluate } from '../checkers/index.js';
import { holds } from '../checkers/model.js';
import { AuthModel } from './auth-model.js';
import type { Command } from './commands.js';
import { commandOf } from './commands.js';

/**
 * The replicated state as it must be after each committed entry: the checkers' model, driven by the log. It shares
 * nothing with mvcc/, lease/ and auth/.
 */
export class ReplicaModel {
  readonly kvs = new Map<string, Kv>();
  readonly leases = new Set<string>();
  readonly auth = new AuthModel();
  /** Every revision from 2 on. */
  readonly log: LogRevision[] = [];
  revision = 1;
  compactRevision = -1;

  /** `type/member` */
  readonly alarms = new Set<string>();

  #isRaised(type: number): boolean {
    for (const alarm of this.alarms) if (alarm.startsWith(`${type}/`)) return true;
    return false;
  }

  /** What alarms refuse of a command (etcd semantics 8). */
  #alarmed(command: Command): boolean {
    if (command.kind === 'alarm' || command.kind === 'other') return false;
    if (this.#isRaised(AlarmType.CORRUPT)) return true;
    if (!this.#isRaised(AlarmType.NOSPACE)) return false;
    return command.kind === 'grant' || (command.kind === 'op' && puts(command.op));
  }

  /** @param data of a normal entry */
  applyEntry(data: Buffer): void {
    if (data.length === 0) return;
    if (this.auth.take(decodeInternalRequest(data), this.kvs)) this.apply(commandOf(data));
  }

  apply(command: Command): void {
    if (this.#alarmed(command)) return;
    switch (command.kind) {
      case 'op':
        if (!this.#refused(command.op)) this.#run(command.op);
        return;
      case 'compact':
        if (command.revision > this.compactRevision && command.revision <= this.revision) {
          this.compactRevision = command.revision;
        }
        return;
      case 'grant':
        this.leases.add(command.lease);
        return;
      case 'revoke':
        if (!this.leases.delete(command.lease)) return;
        return this.#commit(evaluate(this, { kind: 'revoke', lease: command.lease }).events);
      case 'alarm': {
        const alarm = `${command.type}/${command.member}`;
        if (command.raised) this.alarms.add(alarm);
        else this.alarms.delete(alarm);
        return;
      }
      case 'other':
        return;
    }
  }

  #run(op: SimpleOp | TxnOp): void {
    this.#commit(evaluate(this, op).events);
  }

  #commit(events: KvEvent[]): void {
    if (events.length === 0) return;
    this.revision++;
    applyEvents(this.kvs, events);
    this.log.push({ revision: this.revision, events });
  }

  /** All of it is refused where one part cannot be done (etcd semantics 3.6). */
  #refused(op: SimpleOp | TxnOp): boolean {
    switch (op.kind) {
      case 'put':
        return op.lease !== '0' && !this.leases.has(op.lease);
      case 'range':
        return op.revision > 0 && (op.revision < this.compactRevision || op.revision > this.revision);
      case 'delete':
        return false;
      case 'txn': {
        const branch = op.compare.every((compare) => holds(this, compare)) ? op.success : op.failure;
        return branch.some((inner) => this.#refused(inner));
      }
    }
  }
}

function puts(op: SimpleOp | TxnOp): boolean {
  return op.kind === 'txn' ? [...op.success, ...op.failure].some(puts) : op.kind === 'put';
}
