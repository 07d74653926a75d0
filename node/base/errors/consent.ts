import type { ErrorEntry } from '../errors.ts'

/** Consent, withdrawal and audit. A patient is never named: tags and counts only. */
export const consentErrors = {
  'ROTA-6001': {
    what: 'the receipt {file} is damaged or of an unknown version',
    remedy: "Use the copy that the patient holds, or withdraw at the desk by the patient's name.",
    reaction: 'reject',
  },
  'ROTA-6002': {
    what: 'the consent record {file} cannot be opened (entry {entry})',
    remedy: "Another site's keys, or a damaged disk: restore the file from backup. Nobody is counted as consenting until then.",
    reaction: 'stop',
  },
  'ROTA-6003': {
    what: 'this patient already has a consent for {programme}',
    remedy: 'Nothing to do; withdraw the old one first to make a new receipt.',
    reaction: 'ignore',
  },
  'ROTA-6004': {
    what: 'this patient has no consent for {programme} that could be withdrawn',
    remedy: 'Check programme and patient; a withdrawal made before counts.',
    reaction: 'ignore',
  },
  'ROTA-6005': {
    what: 'this cohort and one that was used before differ in {smallestDifference} of their patients that was used before; exact results need 0 or at least {minimum}',
    remedy: 'The site abstains, since two results would show those patients. Wait until more patients join or leave, or use a study with noise.',
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
} as const satisfies Record<string, ErrorEntry>
