import type { Entry, Message } from '../../../src/raft/index.js';
import { MESSAGE_NAMES, MessageKind } from '../../../src/raft/index.js';
import { describe } from './member.js';

/** `term/index data`. */
export function printEntry(e: Entry): string {
  const data = describe(e).slice(String(e.term).length + 1);
  return `${e.term}/${e.index}${data === '' ? '' : ` ${data}`}`;
}

export function printEntries(entries: readonly Entry[]): string {
  return `[${entries.map(printEntry).join(', ')}]`;
}

/** One line a message: `1->2 MsgApp term=1 prev=1/1 commit=1 [1/2 a]`. Fields that are zero are left out. */
export function printMessage(m: Message): string {
  const words = [`${m.from}->${m.to}`, MESSAGE_NAMES[m.kind] ?? `kind ${m.kind}`, `term=${m.term}`];
  const add = (name: string, value: number | string) => {
    if (value !== 0 && value !== '0/0') words.push(`${name}=${value}`);
  };
  if (m.reject) words.push('reject');
  switch (m.kind) {
    case MessageKind.App:
      words.push(`prev=${m.logTerm}/${m.index}`);
      add('commit', m.commit);
      if (m.entries.length > 0) words.push(printEntries(m.entries));
      break;
    case MessageKind.AppResp:
      add('index', m.index);
      if (m.reject) words.push(`hint=${m.logTerm}/${m.rejectHint}`);
      else add('session', m.rejectHint === 0 ? 0 : 'yes');
      add('commit', m.commit);
      break;
    case MessageKind.Vote:
    case MessageKind.PreVote:
      words.push(`last=${m.logTerm}/${m.index}`);
      add('commit', `${m.rejectHint}/${m.commit}`);
      if (m.context !== 0) words.push('for-transfer');
      break;
    case MessageKind.VoteResp:
    case MessageKind.PreVoteResp:
      add('commit', `${m.logTerm}/${m.commit}`);
      break;
    case MessageKind.Snap:
      words.push(`snapshot=${m.snapshot?.term}/${m.snapshot?.index}`);
      words.push(`voters=${m.snapshot?.confState.voters}`);
      if (m.snapshot?.confState.learners.length) words.push(`learners=${m.snapshot.confState.learners}`);
      break;
    case MessageKind.Heartbeat:
      add('commit', m.commit);
      add('round', m.context);
      add('caught-up', m.rejectHint === 0 ? 0 : 'yes');
      break;
    case MessageKind.HeartbeatResp:
      if (m.reject) words.push(`left=${m.index}`);
      add('commit', m.commit);
      add('round', m.context);
      break;
    case MessageKind.ReadIndex:
      words.push(`ctx=${m.context}`);
      break;
    case MessageKind.ReadIndexResp:
      words.push(`ctx=${m.context}`, `index=${m.index}`);
      break;
    default:
      break;
  }
  return words.join(' ');
}
