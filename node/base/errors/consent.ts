import type { ErrorEntry } from '../errors.ts'

/** Consent, withdrawal and audit. A patient is never named: tags and counts only. */
export const consentErrors = {
  'ROTA-6001': {
    what: 'the receipt {file} is damaged or of an unknown version',
    remedy: "Use the copy that the patient holds, or withdraw at the desk by the patient's name.",
    reaction: 'reject',
  },
  'ROTA-6002': {
    what: 'the sealed record {file} cannot be opened (entry {entry})',
    remedy:
      "Another site's keys, a damaged disk, or somebody changed it: restore the file from backup. While it is the record of consents, nobody is counted as consenting.",
    reaction: 'stop',
  },
  'ROTA-6003': {
    what: '{which} already has a consent for {programme}',
    remedy: 'Nothing to do; withdraw the old one first to make a new receipt.',
    reaction: 'ignore',
  },
  'ROTA-6004': {
    what: 'this patient has no consent for {programme} that could be withdrawn',
    remedy: 'Check programme and patient; a withdrawal made before counts.',
    reaction: 'ignore',
  },
  'ROTA-6005': {
    what: 'an exact result over this cohort, beside those that were made before, would show a sum over {smallestDifference} of the patients who {part}; it must be over {minimum} at least',
    remedy:
      'The site abstains, since results would show those patients. Patients who train and patients who test are counted each by themselves: wait until more of these join or leave, or use a study with noise.',
    reaction: 'reject',
  },
  'ROTA-6006': {
    what: 'the ledger of used cohorts {file} is damaged',
    remedy: 'Restore it from backup; without it no exact study may use this dataset.',
    reaction: 'stop',
  },
  'ROTA-6007': {
    what: 'there is no receipt in {folder}',
    remedy: 'Receipts are files named receipt-….json; name one with --receipt FILE, or their folder with --receipts DIR.',
    reaction: 'reject',
  },
  'ROTA-6008': {
    what: 'the record of used cohorts is an old copy: the chain shows {cohorts} that exact runs used and that it does not know',
    remedy:
      'The site abstains from exact runs, since nobody can say whose patients a result would show beside those. Put a newer copy of state/differencing.jsonl in place, or bring rows and consents back to what they were then: the site then recognises the cohort by itself.',
    reaction: 'reject',
  },
  'ROTA-6009': {
    what: 'this site has put no consent of this receipt on chain, under {programme}',
    remedy: 'Ask the site that gave the receipt; there, `rota consent record --programme NAME` puts what stands on chain.',
    reaction: 'reject',
  },
  'ROTA-6010': {
    what: 'the chain knows no round {round} of run {run}',
    remedy: '`rota study show` and `rota audit log` name runs and rounds.',
    reaction: 'reject',
  },
  'ROTA-6011': {
    what: 'the archive of cohorts does not hold the one of round {round} of run {run}',
    remedy: 'Restore state/cohorts.log from backup: only with it can this site show who was in that cohort.',
    reaction: 'reject',
  },
  'ROTA-6012': {
    what: '{file} is no proof about a receipt, or is damaged',
    remedy: 'Name the file that `rota consent prove --json` wrote at the site.',
    reaction: 'reject',
  },
  'ROTA-6013': {
    what: '{file} is no opened cohort, or is damaged',
    remedy: 'Name the file that `rota consent open --json` wrote at the site.',
    reaction: 'reject',
  },
  'ROTA-6021': {
    what: '{tag} is no tag of a consent',
    remedy: 'A tag is 0x and 64 digits of hex: it stands on the sheet and in the receipt. With the receipt itself: --receipt FILE.',
    reaction: 'reject',
  },
  'ROTA-6022': {
    what: '{file} is a receipt of version 1, which says too little for a sheet',
    remedy: 'It is good for withdrawing and for checking as it is. Its site makes one of version 2 of it: `rota consent status --receipt FILE --write`.',
    reaction: 'reject',
  },
  'ROTA-6023': {
    what: 'there are no sheets in the language {language}',
    remedy: 'Languages here: {known}. Another one is a file in node/web/print/languages with the same keys.',
    reaction: 'reject',
  },
  'ROTA-6030': {
    what: "this patient's consent under {programme} stands",
    remedy: 'Withdraw it first: `rota consent withdraw`, or at the desk. What stands, or was given again, is used rightly.',
    reaction: 'reject',
  },
  'ROTA-6031': {
    what: 'this site knows nothing of this record under {programme}',
    remedy: 'Ask the site that gave the receipt; with --patient, check how the data of this site spells the name.',
    reaction: 'reject',
  },
  'ROTA-6032': {
    what: 'the protocol of study {study}, to which run {run} belongs, is not on this site',
    remedy: 'Let the node run (`rota run`) until it has fetched it; a site that took no part in the study has nothing to unlearn.',
    reaction: 'reject',
  },
  'ROTA-6033': {
    what: '{file} is no certificate of unlearning',
    remedy: 'Name the file that `rota consent unlearn --json` wrote at the site, once the run that stands in was over.',
    reaction: 'reject',
  },
  'ROTA-6034': {
    what: '{file} is no confirmation of a withdrawal, or was altered',
    remedy: 'Name the withdrawal-….json that the hospital keeps, as it is; it can make it anew: `rota consent confirm`.',
    reaction: 'reject',
  },
  'ROTA-6035': {
    what: '{file} is no sample of a cohort, or is damaged',
    remedy: 'Name the file that `rota consent open --json` wrote at the site with --question or --draws; a whole cohort is checked with --opening.',
    reaction: 'reject',
  },
  'ROTA-6036': {
    what: '{file} is no question about a cohort, or is damaged',
    remedy: 'Name the file that `rota audit draw --json` wrote.',
    reaction: 'reject',
  },
  'ROTA-6037': {
    what: '{file} answers another question than was asked: its {other} is another',
    remedy: 'Give --question the file that was sent to the site, and ask the site for the answer to that one.',
    reaction: 'reject',
  },
  'ROTA-6038': {
    what: '{file} was drawn by a seed, and nobody here says that they asked with it: who made it could have chosen it',
    remedy: 'Give your own question with --question; `rota audit draw` makes one. Or have it drawn by the hash of a block: `rota consent open --draws`.',
    reaction: 'reject',
  },
  'ROTA-6039': {
    what: 'the chain has no cohort of site {site} in round {round} of run {run}',
    remedy: 'The site took no part in that round, or has not contributed yet: `rota study show` and `rota audit log` say who contributed to which.',
    reaction: 'reject',
  },
  'ROTA-6040': {
    what: 'the hash of block {block} is to draw, and the chain is at block {head}',
    remedy: 'Try again when that block is there, or draw by a seed of your own: `rota audit draw`.',
    reaction: 'retry',
  },
  'ROTA-6041': {
    what: 'the question is to site {asked}, and this is site {own}',
    remedy: 'Send it to the site that it names; `rota audit draw --site` asks another.',
    reaction: 'reject',
  },
  'ROTA-6042': {
    what: '{file} shows consents under "{named}", and the study of run {run} is under "{programme}"',
    remedy:
      'Have the site show what it declared under the programme of the study: under another, other people withdrew. Where --programme was mistyped, mend that.',
    reaction: 'reject',
  },
  'ROTA-6043': {
    what: 'the programme of run {run} is not known: {reason}',
    remedy: "Name a store that holds the study's protocol with --store, or the programme, as the protocol names it, with --programme.",
    reaction: 'reject',
  },
  'ROTA-6044': {
    what: '{file} shows {drawn} draws, and {draws} were demanded',
    remedy:
      'Demand the number, and the round, before the site draws, and have it draw so many: `rota consent open --draws {draws}`. A site that chooses when to stop can stop before a member who may not be in it.',
    reaction: 'reject',
  },
  'ROTA-6014': {
    what: 'study {study} asks for {protocol}, but the terms of {programme} (version {version}) are for {terms}',
    remedy: "Publish the study again with the terms' lawful basis, or under a programme whose terms fit; patients were told the terms.",
    reaction: 'reject',
  },
  'ROTA-6015': {
    what: 'the terms of {programme} (version {version}) expired with {expires}',
    remedy: "The programme's keeper publishes the next version; patients consent to that anew.",
    reaction: 'reject',
  },
  'ROTA-6016': {
    what: 'the chain has no terms of {programme}',
    remedy: '`rota programme show` lists the programmes that have some; `rota programme draft` begins new ones.',
    reaction: 'reject',
  },
  'ROTA-6017': {
    what: 'the terms of {programme} have no version {version}; the newest is {newest}',
    remedy: 'Leave --version out for the newest.',
    reaction: 'reject',
  },
  'ROTA-6018': {
    what: 'the terms in {file} are {bytes} bytes long; the chain takes {most}',
    remedy: 'Say it in fewer words, or leave a language to the next version.',
    reaction: 'reject',
  },
  'ROTA-6019': {
    what: 'withdrawals under {programme} have not come into effect in time ({count}): {reason}',
    remedy: '`rota consent status` shows what the chain knows; look at what the node says in its log, and withdraw by receipt what is not on chain.',
    reaction: 'retry',
  },
  'ROTA-6401': {
    what: 'the key {reader} is no reader of any study with finished rounds',
    remedy: 'Name the keystore whose key the protocol lists under `readers`; a study that does not list it cannot be audited with it.',
    reaction: 'stop',
  },
  'ROTA-6402': {
    what: 'there is no store folder {dir}',
    remedy: "Give --store the `blocks` folder of a node, a copy of it, or the URL of a node's endpoint.",
    reaction: 'reject',
  },
  'ROTA-6403': {
    what: 'the endpoint {url} does not answer as it should ({reason})',
    remedy: 'Check the URL and that the node runs; it listens on its own machine only, so from elsewhere a tunnel is needed.',
    reaction: 'retry',
  },
  'ROTA-6404': {
    what: 'the endpoint {url} refuses this reader ({reason})',
    remedy: 'It serves readers that a study of its site lists. Check the keystore, and the clock of this machine.',
    reaction: 'stop',
  },
  'ROTA-6405': {
    what: 'a request for blocks was refused: {reason}',
    remedy: 'Nothing to do here: whoever asked is no reader of a study, or the request was old or repeated.',
    reaction: 'reject',
  },
  'ROTA-6406': {
    what: 'cannot serve status and metrics on port {port} ({reason})',
    remedy: 'Another program may use the port. Change `web.port` in the configuration; 0 takes any free one.',
    reaction: 'stop',
  },
  'ROTA-6411': {
    what: 'there is no attack {attack}',
    remedy: 'Name some of {known}, with commas between them, or leave --attacks out.',
    reaction: 'reject',
  },
  'ROTA-6412': {
    what: 'site {site} has {patients} patients to train on; attacks need {least} to say anything',
    remedy: 'Give more rows, or leave small sites out with --min-rows {least}.',
    reaction: 'reject',
  },
  'ROTA-6413': {
    what: '--epsilon and --delta go together',
    remedy: 'Give both, as the study would promise them, or neither for a study without differential privacy.',
    reaction: 'reject',
  },
  'ROTA-6414': {
    what: 'the evidence {file} does not belong to this result ({reason})',
    remedy: 'Give the file that rota audit privacy --json wrote for the protocol of this very study.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
