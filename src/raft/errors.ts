/** What a caller did wrong, or what a disk brought back that cannot be. */
export class RaftError extends Error {
  override readonly name = 'RaftError';
  /** ERR_RAFT_CONFIG: a bad setting. ERR_RAFT_STATE: the state to start from contradicts itself. */
  readonly code: 'ERR_RAFT_CONFIG' | 'ERR_RAFT_STATE';

  constructor(code: 'ERR_RAFT_CONFIG' | 'ERR_RAFT_STATE', message: string) {
    super(message);
    this.code = code;
  }
}
