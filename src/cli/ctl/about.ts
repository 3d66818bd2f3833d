/** The name under which help and errors speak. */
export const PROGRAM = 'keelctl';
/** The etcdctl whose commands, flags, output and exit codes these are. */
export const VERSION = '3.6.14';
export const API_VERSION = '3.6';
