import type { ErrorEntry } from '../errors.ts'

export const appErrors = {
  'ROTA-1001': {
    what: 'something unexpected: {reason}',
    remedy: 'This is a fault of Rota or of the machine, not yours. Run it again with ROTA_DEBUG=1 to see where; then report it with what you did.',
    reaction: 'stop',
  },
  'ROTA-1002': { what: 'there is no command `{command}`', remedy: 'Nearest: `rota {nearest}`. `rota --help` lists all.', reaction: 'reject' },
  'ROTA-1003': { what: '`rota {command}` has no option {option}', remedy: 'Nearest: {nearest}. `rota {command} --help` lists all.', reaction: 'reject' },
  'ROTA-1004': { what: '{option} {value}: expected {expected}', remedy: 'Correct the value.', reaction: 'reject' },
  'ROTA-1005': { what: '{option} {value}: expected one of {choices}', remedy: 'Nearest: {nearest}.', reaction: 'reject' },
  'ROTA-1006': { what: '`rota {command}`: {reason}', remedy: 'See `rota {command} --help`; it ends with an example.', reaction: 'reject' },
  'ROTA-1101': {
    what: 'nothing to simulate: {reason}',
    remedy: 'Give the rows with --data FILE.csv, or have them generated with --sites N --rows M.',
    reaction: 'reject',
  },
  'ROTA-1102': { what: '{option} does not go together with {other}', remedy: 'Leave one of them out.', reaction: 'reject' },
  'ROTA-1103': {
    what: '{found} sites with at least {minRows} train rows; the protocol asks for {needed}',
    remedy: 'Lower minSites, quorum or cohort.minRows in the protocol (--min-rows), or add sites. Left out: {leftOut}.',
    reaction: 'reject',
  },
  'ROTA-1104': {
    what: 'the protocol says {path} {value}, and {option} says {given}',
    remedy: 'Leave the option out: a protocol says all about its study.',
    reaction: 'reject',
  },
  'ROTA-1106': {
    what: 'mode {mode} cannot be simulated: {reason}',
    remedy: 'Use --mode open, --mode masked with 3 to 100 sites, or --mode groups with 12 to 100.',
    reaction: 'reject',
  },
  'ROTA-1105': {
    what: 'the run stopped in state {state} after {rounds} rounds: {reason}',
    remedy: 'The data of too many sites did not fit the protocol; correct what is named.',
    reaction: 'reject',
  },
  'ROTA-1301': {
    what: 'the password does not open {file}',
    remedy: 'Give the password that was used when {file} was made. There is no way around a lost password: restore the backup that has one.',
    reaction: 'stop',
  },
  'ROTA-1302': {
    what: '{file} cannot be read as a keystore: {reason}',
    remedy: 'Check the path, that it belongs to the user who runs the node, and that the file is whole; else restore it from the backup.',
    reaction: 'stop',
  },
  'ROTA-1303': {
    what: '{file} exists already',
    remedy: 'Keys are never overwritten. Choose another folder, or move the old file away if you are sure that nothing needs it.',
    reaction: 'stop',
  },
  'ROTA-1304': {
    what: 'the log file {file} cannot be opened',
    remedy: 'Check that its folder exists and belongs to the user who runs the node.',
    reaction: 'stop',
  },
  'ROTA-1305': {
    what: 'entry {entry} of the journal {file} is damaged',
    remedy:
      'Something else wrote to it or the disk is failing. Move it away and start again: the node then reads what it did from the chain, and abstains where it cannot tell.',
    reaction: 'stop',
  },
  'ROTA-1306': {
    what: 'the disk refused to write {file} ({reason})',
    remedy:
      'Free space on the disk (ENOSPC) or correct its permissions (EACCES); nothing of what was being written remains, and nothing written before is lost.',
    reaction: 'retry',
  },
  'ROTA-1307': {
    what: 'another node (process {pid}) works in {dir}',
    remedy: 'Stop that process first; two nodes with one set of keys would contradict each other.',
    reaction: 'stop',
  },
  'ROTA-1308': {
    what: 'no password could be read from {source}',
    remedy:
      'Give --password-file FILE or --password-fd N; the password is the first line. It is never taken from an argument, which other users of the machine could see.',
    reaction: 'stop',
  },
  'ROTA-1309': {
    what: 'the embedded chain did not start: {reason}',
    remedy: 'See whether the port is taken and the state file is whole; the last lines of the chain are in the reason.',
    reaction: 'stop',
  },
  'ROTA-1310': {
    what: 'there is no embedded chain for {platform}',
    remedy: 'Install with optional dependencies (npm ci without --omit=optional), or give the URL of a chain that runs elsewhere.',
    reaction: 'stop',
  },
  'ROTA-1312': {
    what: 'none of the {wraps} wraps of this epoch key opens with this key ({mine} are addressed to it)',
    remedy: 'The bundle was made for another membership or with a wrong key: the node reports it and another site publishes a new epoch.',
    reaction: 'retry',
  },
  'ROTA-1313': {
    what: 'a sealed key does not open under the key given',
    remedy: 'The bundle was changed or belongs to another epoch; fetch it again from another member.',
    reaction: 'reject',
  },
  'ROTA-1320': {
    what: '{file} is no whole backup: {reason}',
    remedy: 'Take another copy or an older backup; this one was changed, cut short, or is another file.',
    reaction: 'reject',
  },
  'ROTA-1321': {
    what: '{file} is the backup of {name} ({account}), and {folder} belongs to another site ({found})',
    remedy: "Give the folder of that site, or an empty one. One site's keys in another's folder would lose the other's.",
    reaction: 'reject',
  },
  'ROTA-1322': {
    what: '{folder} has a journal that is newer than the backup of {made}: run {run} is at round {round} there',
    remedy:
      'Start the node in the folder as it is. A journal that goes back could make the site send a second, different vector to a round. If the folder is really lost, restore into an empty one.',
    reaction: 'reject',
  },
  'ROTA-1323': {
    what: '{folder} is not empty: there is {found}',
    remedy: 'Restore into an empty folder. Nothing is ever overwritten; move away what is there, if it is no longer wanted.',
    reaction: 'reject',
  },
  'ROTA-1324': {
    what: "the site's files are {size} MiB together; one backup takes {limit}",
    remedy: 'Copy state/consents.log and state/differencing.jsonl by themselves (they are encrypted, or digests under a key), with the node stopped.',
    reaction: 'reject',
  },
  'ROTA-1311': { what: 'the contract {contract} is not compiled ({file} is missing)', remedy: 'Run: npm run compile', reaction: 'stop' },
} as const satisfies Record<string, ErrorEntry>
