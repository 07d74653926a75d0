import type { ErrorEntry } from '../errors.ts'

const NOTHING = 'Nothing to do: the node reads the chain again and goes on from there.'

export const chainErrors = {
  // The endpoint, and what is behind it.
  'ROTA-5001': {
    what: 'the chain at {url} does not answer ({method})',
    remedy: 'Check that the endpoint runs and can be reached from here; the node keeps trying, and nothing it did is lost.',
    reaction: 'retry',
  },
  'ROTA-5002': {
    what: 'transaction {tx} found no block in {seconds} s',
    remedy: 'See whether the chain makes blocks (rota status); the node sends it again.',
    reaction: 'retry',
  },
  'ROTA-5003': { what: 'a transaction failed in block {block} for a reason that is gone', remedy: NOTHING, reaction: 'retry' },
  'ROTA-5004': {
    what: 'the chain at {url} has id {chainId}, not {expected}',
    remedy: 'Give the endpoint of the chain that this network runs on, or correct the chain id in the configuration.',
    reaction: 'stop',
  },
  'ROTA-5005': {
    what: 'the chain at {url} begins with block {genesis}, not {expected}: it is another chain under the same id',
    remedy: 'Give the endpoint of the right chain. If the chain was made anew on purpose, set up the site anew too (rota init in an empty folder).',
    reaction: 'stop',
  },
  'ROTA-5006': {
    what: 'at {address} on {url} there are no contracts of Rota',
    remedy: 'Check the directory address: rota network show prints it at a site that is in the network.',
    reaction: 'stop',
  },
  'ROTA-5007': {
    what: 'the network runs {version}, this node works with {known}',
    remedy: 'Upgrade the node to the version that the network uses.',
    reaction: 'stop',
  },
  'ROTA-5008': { what: '{url} is no endpoint of a chain', remedy: 'Give an address that begins with ws://, wss://, http:// or https://.', reaction: 'reject' },
  'ROTA-5009': {
    what: 'account {account} cannot pay the fees of this chain',
    remedy: "Send it some of the chain's currency, or use a chain with base fee 0 (docs/operating.md).",
    reaction: 'stop',
  },
  'ROTA-5010': { what: 'the chain refused a transaction: {error}', remedy: "The endpoint's own log says more; the node tries again.", reaction: 'retry' },
  'ROTA-5011': {
    what: 'a contract refused with {error}',
    remedy: "The contract's interface in contracts/interfaces says when it does so.",
    reaction: 'reject',
  },
  'ROTA-5012': {
    what: 'the chain went back from block {from} to {to}',
    remedy: 'The node sends again what its journal holds. If it happens often, let the chain write its state more often.',
    reaction: 'retry',
  },
  'ROTA-5013': {
    what: 'the chain at {url} knows no finalized blocks ({error})',
    remedy: 'Set chainFinality in rota.yaml to instant (QBFT and its like), or to the number of blocks that must stand on one (docs/chain.md).',
    reaction: 'stop',
  },
  'ROTA-5014': {
    what: 'the endpoints {url} and {witness} disagree about block {block} ({method})',
    remedy:
      'One of them is on a fork, or lies: ask who runs them which block hash they have there. The node does nothing until they agree, and asks again by itself.',
    reaction: 'retry',
  },
  'ROTA-5015': {
    what: 'the endpoint {url} has stood still for {seconds} s, {behind} blocks behind {other}',
    remedy: 'See whether that client of the chain has peers and follows it; the node goes on when both have the same blocks.',
    reaction: 'retry',
  },
  'ROTA-5016': {
    what: 'the chain at {url} gave no answer that can be used ({error})',
    remedy: "The endpoint's own log says more. If it limits how often it may be asked, use one of your own; the node tries again.",
    reaction: 'retry',
  },
  'ROTA-5017': {
    what: 'block {block} does not count yet: with finality {finality} the chain has stood at {at} for {seconds} s',
    remedy: 'See whether the chain makes blocks. One that makes them only for transactions needs chainFinality: instant; the node goes on by itself.',
    reaction: 'retry',
  },
  'ROTA-5018': {
    what: 'a call needs more than the {gas} gas that a block of this chain holds',
    remedy:
      'Ask who runs the chain to raise the gas limit of its blocks (docs/chain.md). Nothing was changed and nothing is lost: the node asks the chain again, and sends the call once it fits.',
    reaction: 'retry',
  },

  // Rounds: late and duplicate calls lose nothing.
  'ROTA-5101': { what: 'round {round} of run {run} is not open: round {current} is', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5102': { what: 'round {round} of run {run} is in phase {phase}', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5103': {
    what: 'run {run} is {state}',
    remedy: 'A paused run goes on when a quorum signals ready (rota run); the other states are final: open a new run.',
    reaction: 'ignore',
  },
  'ROTA-5104': { what: 'site {site} has done this in round {round} of run {run} already', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5105': { what: 'attempt {attempt} of round {round} of run {run} is not the current one ({current})', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5106': { what: 'it is not the turn of site {site} (place {place}) in round {round} of run {run}', remedy: NOTHING, reaction: 'retry' },
  'ROTA-5107': { what: 'site {site} is no custodian of slice {slice} in round {round} of run {run}', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5108': { what: 'site {site} is ready already for run {run}', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5110': { what: 'there is no run {run}', remedy: 'rota study show STUDY lists the runs.', reaction: 'reject' },
  'ROTA-5111': {
    what: 'site {site} has not approved study {study}, or has withdrawn',
    remedy: 'Its steward approves with: rota study approve {study}',
    reaction: 'reject',
  },
  'ROTA-5112': {
    what: 'site {site} is no active member of study {study}',
    remedy: 'Its steward approves the study (rota study approve {study}); the next epoch of keys takes it in.',
    reaction: 'reject',
  },
  'ROTA-5113': {
    what: 'site {site} was no member when round {round} of run {run} opened',
    remedy: 'It takes part from the next round on.',
    reaction: 'ignore',
  },
  'ROTA-5114': {
    what: 'study {study} has {sites} sites ready for a round and needs {minSites}',
    remedy: 'Wait until more stewards have approved it and its keys are published (rota study show {study}).',
    reaction: 'retry',
  },
  'ROTA-5115': { what: 'site {site} is not in the frozen set of round {round} of run {run}', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5116': {
    what: 'the call is not well-formed ({error})',
    remedy: 'This is an error in the program that made the call: report it, with its version.',
    reaction: 'reject',
  },
  'ROTA-5117': {
    what: 'run {run} is no run of an exact study: it is not halted, it goes on without the patient',
    remedy: 'A site leaves a study with: rota study stop',
    reaction: 'reject',
  },
  'ROTA-5118': {
    what: 'sums of run {run} are not disputed on chain: its study is not masked, and a leaf would show what it sums up',
    remedy: 'Nothing to do: members add the updates up again and attest wrong sum; a majority throws it out.',
    reaction: 'reject',
  },
  'ROTA-5119': {
    what: 'no sum of round {round} of run {run} can be disputed now',
    remedy:
      'A sum can be disputed while it is attested and, once its round is closed, until a later round freezes (the last round: for the limit of publishing).',
    reaction: 'ignore',
  },
  'ROTA-5120': {
    what: 'the sum published in round {round} of run {run} is right at leaf {leaf}: it stands',
    remedy: 'If this node said that it is wrong, report it with its version: its arithmetic differs from the contract.',
    reaction: 'reject',
  },
  'ROTA-5121': {
    what: 'in a dispute, leaf and path do not lead to the root that site {site} committed to (65535: that was published)',
    remedy: 'Fetch that object again: what this node holds is not what was committed.',
    reaction: 'reject',
  },
  'ROTA-5122': {
    what: 'in a dispute, the contributions are not those of round {round} of run {run} in order of arrival',
    remedy: 'The chain endpoint gave other events than the chain has: compare it with another (rota doctor).',
    reaction: 'retry',
  },
  'ROTA-5123': {
    what: 'in a dispute, there is no leaf {leaf} in a tree of {leaves}',
    remedy: 'This is an error in the program that made the call: report it, with its version.',
    reaction: 'reject',
  },
  'ROTA-5124': {
    what: 'in a dispute of round {round} of run {run}, the updates take {bytes_} bytes where {wanted} are missing',
    remedy: 'One leaf and path for each site of the frozen set, in order of arrival: fetch what is missing and dispute again.',
    reaction: 'reject',
  },
  'ROTA-5125': {
    what: 'the partial sum of {done} sites is not the one that this site left in its dispute of round {round} of run {run}',
    remedy: 'Nothing to do: the dispute is begun again from its first part.',
    reaction: 'retry',
  },
  'ROTA-5126': { what: 'a site has asked for more time in round {round} of run {run} already', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5127': {
    what: 'site {site} is not awaited in round {round} of run {run}: no time is given to it',
    remedy: 'Nothing to do: it is awaited again in the round after one that it contributes to.',
    reaction: 'ignore',
  },
  'ROTA-5128': {
    what: "site {site} has no keys in round {round} of run {run}: its update could not be masked so that the others' sum can be read",
    remedy: 'Nothing to do: it takes part again from the next round on.',
    reaction: 'ignore',
  },
  'ROTA-5129': {
    what: "site {site}'s contribution to round {round} of run {run} is not charged to one of its datasets",
    remedy: 'The study is accounted: the node charges the dataset before it trains. Nothing was spent, and nothing was sent.',
    reaction: 'reject',
  },
  'ROTA-5130': {
    what: 'the call for round {round} of run {run} was made for another block {known} than the one that stands: the chain went back, or the limit began anew',
    remedy: 'Nothing to do: the node looks what stands now, and says it again, or abstains.',
    reaction: 'retry',
  },

  'ROTA-5131': { what: 'deals of round {round} of run {run} are being justified: nobody keys in it any more', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5132': { what: 'deals of round {round} of run {run} are not to be justified: sites still key', remedy: NOTHING, reaction: 'ignore' },

  // Sites.
  'ROTA-5201': {
    what: 'account {account} belongs to a site already, or is the zero address',
    remedy: 'Each site needs three accounts of its own: node, steward, recovery.',
    reaction: 'reject',
  },
  'ROTA-5202': {
    what: "the site's details are not accepted",
    remedy: 'Name 1 to 64 bytes, peer id 1 to 128, a key, at most 8 addresses of at most 256 bytes each.',
    reaction: 'reject',
  },
  'ROTA-5203': {
    what: 'account {caller} is no node or steward of an active site',
    remedy: 'Use the keystore of a member; a new hospital asks for admission first (rota join).',
    reaction: 'reject',
  },
  'ROTA-5204': {
    what: 'account {caller} may not do this for site {site}',
    remedy: 'Node and steward change the contact, the steward its own account and the membership, the recovery account all three accounts after 48 hours.',
    reaction: 'reject',
  },
  'ROTA-5205': { what: 'there is no site {site}', remedy: 'rota network show lists them.', reaction: 'reject' },
  'ROTA-5206': { what: 'the state of site {site} does not allow this', remedy: 'rota network show tells the states.', reaction: 'reject' },
  'ROTA-5207': { what: 'there is no proposal {proposal}', remedy: 'rota admit lists the open ones.', reaction: 'reject' },
  'ROTA-5208': { what: 'proposal {proposal} is closed or expired', remedy: 'Nothing to do if it passed; else propose again.', reaction: 'ignore' },
  'ROTA-5209': { what: 'site {site} has voted on proposal {proposal}', remedy: 'One vote a site, and it is final.', reaction: 'ignore' },
  'ROTA-5210': { what: 'the request for admission is under way (proposal {proposal})', remedy: "Wait for the members' votes.", reaction: 'ignore' },
  'ROTA-5211': { what: 'the network cannot take or lose this site ({error})', remedy: 'A network has 1 to 256 sites in its whole life.', reaction: 'reject' },
  'ROTA-5212': {
    what: 'the recovery of site {site} cannot be finished now',
    remedy: 'It is started by the recovery account and finished 48 hours later.',
    reaction: 'reject',
  },

  // Studies and their keys.
  'ROTA-5301': { what: 'there is no study {study}', remedy: 'rota study list shows them.', reaction: 'reject' },
  'ROTA-5302': {
    what: "the study's numbers are not accepted: {error}",
    remedy:
      'The contract wants 1 <= quorum <= minSites, 1 <= slices <= minSites, 32 or 64 bits and a round at least, and of a masked study minSites >= 5, quorum >= floor(2 * minSites / 3) + 1 and at most 100 sites. A study in groups is a masked one to the contract.',
    reaction: 'reject',
  },
  'ROTA-5303': {
    what: 'the limit of phase {phase} is {seconds_} s and {blocks} blocks; each must be at least {least}',
    remedy: 'Raise it in the protocol: a limit must leave every site time for its transactions, of which witnessing takes three for each slice.',
    reaction: 'reject',
  },
  'ROTA-5304': {
    what: 'account {caller} is no steward of an active site',
    remedy: "Approve with the steward's keystore, not with the node's.",
    reaction: 'reject',
  },
  'ROTA-5305': {
    what: 'study {study} was published with digest {published}, not {given}',
    remedy: 'Read the protocol that was published (rota study show {study}) and approve that one.',
    reaction: 'reject',
  },
  'ROTA-5306': { what: 'site {site} has approved study {study}', remedy: 'Nothing to do.', reaction: 'ignore' },
  'ROTA-5307': { what: 'epoch {epoch} of study {study} is not due: another site was first, or nothing changed', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5308': { what: 'epoch 0 of study {study} is published by the site that published the study', remedy: "Start that site's node.", reaction: 'reject' },
  'ROTA-5309': { what: 'study {study} has no member yet', remedy: 'A steward approves it first: rota study approve {study}', reaction: 'retry' },
  'ROTA-5314': {
    what: "study {study}'s privacy on chain is not what its protocol says: {reason}",
    remedy: 'Do not approve it, and take no part. Its publisher publishes it anew, which sets the policy that belongs to the protocol.',
    reaction: 'reject',
  },

  // Consent, lineage, declarations.
  'ROTA-5401': {
    what: 'this consent has been withdrawn already',
    remedy: 'Nothing to do: a withdrawal holds for good. Consenting again makes a new tag.',
    reaction: 'ignore',
  },
  'ROTA-5310': {
    what: 'study {study} can get no privacy policy any more',
    remedy: 'It has one, or a steward has approved it without. Publish the study anew, and set its policy before the stewards approve.',
    reaction: 'reject',
  },
  'ROTA-5311': {
    what: 'the privacy policy cannot work: a contribution costs {charge}, and the limit is {limit}',
    remedy:
      'Every lane of the cost is at least 1, every lane of the limit below 2^31 - 1, and one contribution within the limit. rota privacy plan works them out.',
    reaction: 'reject',
  },
  'ROTA-5312': { what: 'study {study} is not accounted: nothing is charged for it', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5313': {
    what: "site {site}'s dataset has spent its privacy: one more contribution would bring it above the study's limit",
    remedy: 'The site abstains, and the others go on. A study with more noise or a higher limit may still take a contribution; what is spent stays spent.',
    reaction: 'reject',
  },
  'ROTA-5316': {
    what: 'a masked study has at most {most} sites, in which each deals keys to each; this one would have {sites}',
    remedy: 'Publish it with a smaller minSites, or let another site withdraw first (rota study stop); larger networks train in open mode.',
    reaction: 'reject',
  },
  'ROTA-5317': {
    what: "it is not site {site}'s turn to draw key {epoch} of study {study}: {place} members come before it",
    remedy: NOTHING,
    reaction: 'retry',
  },
  'ROTA-5402': {
    what: 'the withdrawal is not signed by the key {key} that it names',
    remedy: "Read the receipt again, or withdraw at the desk with the paper; an ombudsman signs with the key that the programme's terms name.",
    reaction: 'reject',
  },
  'ROTA-5403': { what: 'epoch {epoch} of the consent root is not above the last one ({last})', remedy: NOTHING, reaction: 'ignore' },
  'ROTA-5404': {
    what: 'the model cannot be endorsed ({error})',
    remedy: 'Members endorse the newest closed model, once, on the digest of the evidence.',
    reaction: 'reject',
  },
  'ROTA-5405': {
    what: "the programme's terms are kept by site {keeper}, not by site {site}",
    remedy: 'The site that published the first version publishes the next; another programme needs another name.',
    reaction: 'reject',
  },
  'ROTA-5406': {
    what: 'version {version} of the terms is not the next one, which is {next}',
    remedy: 'Write the next number into the file (rota programme show NAME says which there are), and publish again.',
    reaction: 'reject',
  },
  'ROTA-5407': {
    what: 'the contract does not take these terms ({error})',
    remedy: 'They must be good for some time yet, and at most 16 KiB long in their canonical form; publish with the `rota` of this network.',
    reaction: 'reject',
  },
  'ROTA-5408': {
    what: "the programme's newest terms name no ombudsman",
    remedy: 'Withdraw by the receipt, on the page, or at the desk of the hospital; the next version of the terms may name one.',
    reaction: 'reject',
  },
} as const satisfies Record<string, ErrorEntry>
