import { MESSAGE_NAMES, PROGRESS_NAMES, RaftError, ROLE_NAMES } from '../../../src/raft/index.js';
import { AssertionError } from '../../../src/util/assert.js';
import type { Packet } from './cluster.js';
import { Cluster } from './cluster.js';
import type { Member, Settings } from './member.js';
import { historyOf } from './member.js';
import { printEntries, printEntry, printMessage } from './print.js';
import { VERBS } from './verbs.js';

/** One command of a script: `verb N flag key=value`. */
export class Command {
  readonly verb: string;
  readonly words: readonly string[];
  readonly #options = new Map<string, string>();

  constructor(line: string) {
    const [verb, ...rest] = line.trim().split(/\s+/);
    if (!verb) throw new Error('empty command');
    this.verb = verb;
    this.words = rest.filter((w) => !w.includes('='));
    for (const w of rest) {
      const at = w.indexOf('=');
      if (at > 0) this.#options.set(w.slice(0, at), w.slice(at + 1));
    }
  }

  has(name: string): boolean {
    return this.#options.has(name);
  }

  text(name: string): string | undefined {
    return this.#options.get(name);
  }

  number(name: string, otherwise: number): number {
    const value = this.#options.get(name);
    if (value === undefined) return otherwise;
    const n = Number(value);
    if (!Number.isSafeInteger(n)) throw new Error(`${name}=${value} is not a number`);
    return n;
  }

  id(at = 0): number {
    const n = Number(this.words[at]);
    if (!Number.isSafeInteger(n)) throw new Error(`${this.verb}: which member?`);
    return n;
  }
}

/** A cluster driven line by line; what happens is written down. */
export class Script {
  #cluster: Cluster | null = null;
  #lines: string[] = [];

  /** @returns the lines that the command printed */
  run(line: string): string[] {
    this.#lines = [];
    try {
      let command = new Command(line);
      const quiet = command.verb === 'quiet';
      if (quiet) command = new Command(line.slice(line.indexOf('quiet') + 6));
      const handler = VERBS[command.verb];
      if (handler === undefined) throw new Error(`unknown verb ${command.verb}`);
      handler(this, command);
      if (quiet) this.#lines = [];
    } catch (e) {
      // A script tells what raft refuses; a mistake in the script itself is not part of the story.
      if (!(e instanceof RaftError || e instanceof AssertionError)) throw new Error(`${line}: ${(e as Error).message}`);
      this.say(`${(e as Error).name}: ${(e as Error).message}`);
    }
    return this.#lines.length === 0 ? ['ok'] : this.#lines;
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  get cluster(): Cluster {
    if (this.#cluster === null) throw new Error('no nodes yet');
    return this.#cluster;
  }

  start(voters: number[], learners: number[], settings: Settings, special: Map<number, Settings>): void {
    this.#cluster = new Cluster({
      voters,
      learners,
      settings,
      special,
      traced: true,
      events: {
        trace: (m, text) => this.say(`${m.id}: ${text}`),
        send: (_, m) => this.say(printMessage(m)),
        apply: (m, e) => this.say(`${m.id}: applies ${printEntry(e)}`),
        read: (m, ctx, index) => this.say(`${m.id}: read ${ctx} is served at ${index}`),
      },
    });
  }

  /** Members named in the command, or all. */
  members(c: Command): Member[] {
    const all = [...this.cluster.members.values()];
    return c.words.length === 0 ? all : c.words.map((w) => this.cluster.get(Number(w)));
  }

  /** Takes the packets that match `TO from=N type=App n=1` off the wire. */
  take(c: Command): Packet[] {
    const to = c.words[0];
    const from = c.text('from');
    const type = c.text('type');
    let left = c.number('n', Number.MAX_SAFE_INTEGER);
    const taken: Packet[] = [];
    this.cluster.packets = this.cluster.packets.filter((p) => {
      const { message: m } = p;
      const matches =
        (to === undefined || m.to === BigInt(to)) &&
        (from === undefined || m.from === BigInt(from)) &&
        (type === undefined || MESSAGE_NAMES[m.kind] === `Msg${type}`) &&
        left > 0;
      if (matches) {
        left--;
        taken.push(p);
      }
      return !matches;
    });
    return taken;
  }

  arrive(packets: readonly Packet[]): void {
    for (const p of packets) {
      this.cluster.arrive(p);
      this.pump();
    }
  }

  pump(): void {
    for (const m of this.cluster.members.values()) m.pump();
  }

  printStatus(m: Member): void {
    if (m.raft === null) {
      this.say(`${m.id}: down`);
      return;
    }
    const s = m.raft.status();
    const words = [
      `${m.id}: ${ROLE_NAMES[s.role]} term=${s.term} vote=${s.vote} leader=${s.leader}`,
      `commit=${s.commit} applied=${s.applied} stable=${s.stable} last=${s.lastIndex}`,
    ];
    if (s.firstIndex > 1) words.push(`first=${s.firstIndex}`);
    if (s.isLearner) words.push('learner');
    if (s.withheld) words.push('vote-withheld');
    this.say(words.join(' '));
  }

  printProgress(m: Member): void {
    for (const p of m.up.status().progress) {
      const flags = `${p.recentActive ? '' : ' inactive'}${p.isLearner ? ' learner' : ''}`;
      this.say(`${p.id}: match=${p.match} next=${p.next} ${PROGRESS_NAMES[p.state]}${flags}`);
    }
  }

  printLog(m: Member): void {
    const { disk } = m;
    const before = disk.offset > 0 ? `${disk.offsetTerm}/${disk.offset} ... ` : '';
    this.say(`${m.id}: disk ${before}${printEntries(disk.entries)}`);
  }

  printMachine(m: Member): void {
    const { confState } = m.machine;
    const learners = confState.learners.length > 0 ? ` learners=${confState.learners}` : '';
    this.say(`${m.id}: [${historyOf(m.machine).join(' ')}] voters=${confState.voters}${learners}`);
  }
}

/** A script file's blocks: comments and commands in, `----`, expected lines out, a blank line. */
export function runScript(text: string): string {
  const script = new Script();
  const out: string[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === '' || line.startsWith('#')) {
      out.push(line);
      continue;
    }
    const commands: string[] = [];
    while (i < lines.length && lines[i] !== '----' && lines[i] !== '') commands.push(lines[i++] as string);
    if (lines[i] === '----') while (i + 1 < lines.length && lines[i + 1] !== '') i++;
    else i--;
    out.push(...commands, '----');
    for (const c of commands) {
      const printed = script.run(c);
      out.push(...(commands.length > 1 ? printed.filter((p) => p !== 'ok') : printed));
    }
    if (out.at(-1) === '----') out.push('ok');
  }
  return out.join('\n');
}
