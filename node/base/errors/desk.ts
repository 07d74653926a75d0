import type { ErrorEntry } from '../errors.ts'

/** The desk: who may sit at it, and what it does for patients. A patient is never named. */
export const deskErrors = {
  'ROTA-6701': {
    what: 'name, password or code is wrong, or the code was used before',
    remedy: 'Try again with the next code of the app; check that the clock of the phone is right. Whoever keeps the accounts can remove one and add it anew.',
    reaction: 'reject',
  },
  'ROTA-6702': {
    what: 'too many tries under this name; the next counts in {seconds} s',
    remedy: 'Wait. If it was not you, tell whoever keeps the accounts: somebody tries to come in under this name.',
    reaction: 'retry',
  },
  'ROTA-6703': {
    what: 'nobody is signed in here, or the time is over',
    remedy: 'Sign in; what was done before stands.',
    reaction: 'reject',
  },
  'ROTA-6704': {
    what: "the request did not come from the desk's own page",
    remedy: 'Open the desk by its own address, and load the page again. If a link led here, do not follow it.',
    reaction: 'reject',
  },
  'ROTA-6705': {
    what: '{limit} people were looked at within an hour; the next counts in {minutes} min',
    remedy:
      'Wait, or have the limit raised (desk.looksPerHour in rota.yaml). It is noted and reported, since whoever looks at so many may be after something else.',
    reaction: 'retry',
  },
  'ROTA-6706': {
    what: 'the request is not as the desk takes it: {reason}',
    remedy: 'Load the page again; a program must send what docs/desk.md says.',
    reaction: 'reject',
  },
  'ROTA-6707': {
    what: 'there is an account {user} already',
    remedy: '`rota desk user remove` takes it away; after that it can be added anew, with a new password and a new secret for codes.',
    reaction: 'reject',
  },
  'ROTA-6708': {
    what: 'there is no account {user}',
    remedy: '`rota desk user list` names them.',
    reaction: 'reject',
  },
  'ROTA-6709': {
    what: 'the account name {user} does not fit',
    remedy: 'One to 64 letters, digits and . _ - @, the first a letter or digit; of a person, so that the log says who it was.',
    reaction: 'reject',
  },
  'ROTA-6710': {
    what: 'the password is too short or too long',
    remedy: 'At least 12 characters and at most 1,000; four words that you draw by chance are good.',
    reaction: 'reject',
  },
  'ROTA-6711': {
    what: 'the desk cannot be served at {listen} ({reason})',
    remedy: 'Another program may use the port, or the address is not of this machine: --listen 127.0.0.1:PORT; 0 takes any free port.',
    reaction: 'stop',
  },
  'ROTA-6712': {
    what: 'the desk would be reached without encryption at {url}',
    remedy: 'Let a proxy on this machine speak TLS, and name its address: desk.url: https://… in rota.yaml. Without it the desk listens on 127.0.0.1 only.',
    reaction: 'reject',
  },
  'ROTA-6713': {
    what: "this is not how the hospital's own system can name a patient",
    remedy: 'One line of 1 to 128 characters, exactly as the data file names the patient.',
    reaction: 'reject',
  },
  'ROTA-6714': {
    what: 'this page is no longer kept here',
    remedy: 'The desk keeps what is to be printed for two hours, in memory. A card that was not printed in time is lost: use "Lost card".',
    reaction: 'reject',
  },
  'ROTA-6715': {
    what: 'the sign-in service {issuer} does not work as it should ({reason})',
    remedy: 'Check desk.oidc in rota.yaml, and that this machine reaches the service.',
    reaction: 'retry',
  },
  'ROTA-6716': {
    what: 'the sign-in service says who you are, but you have no account at this desk',
    remedy: '`rota desk user add NAME --oidc` at the site lets you in; NAME as the service calls you.',
    reaction: 'reject',
  },
  'ROTA-6717': {
    what: 'the desk has too much to do at once',
    remedy: 'Try again in a moment.',
    reaction: 'retry',
  },
  'ROTA-6718': {
    what: 'this version of Node cannot hash passwords as the desk needs it (Argon2id)',
    remedy: 'Use Node 24.7 or newer.',
    reaction: 'stop',
  },
  'ROTA-6719': {
    what: 'no password was given, or not the same twice',
    remedy:
      'Type it where the terminal asks for it, or hand it over with --user-password-fd N; it is never an argument, since other users of the machine can read those.',
    reaction: 'reject',
  },
  'ROTA-6720': {
    what: '{imported} people were imported within an hour, and {more} more would be over the limit of {limit}',
    remedy: 'Import the rest later, have desk.importedPerHour in rota.yaml raised, or use `rota consent import --fhir` at the site. It is noted and reported.',
    reaction: 'retry',
  },
  'ROTA-6721': {
    what: 'something went wrong at the desk; nothing is known to have been done',
    remedy: 'Look at the person again before you try again. Whoever runs the desk: its log has the line desk.fault.',
    reaction: 'stop',
  },
} as const satisfies Record<string, ErrorEntry>
