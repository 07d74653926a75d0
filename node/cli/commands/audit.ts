import { RotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { flag, list, text, whole } from '../options.ts'

const chain = text('URL', "JSON-RPC endpoint of the network's chain")
const contracts = text('ADDRESS', "the network's directory contract")
const run = whole('N', 'only this run', { from: 1 })

export const audit_key = command({
  name: 'audit key',
  group: 'Audit',
  summary: "draw a reader's key for an auditor",
  description: `A protocol that lists the key under \`readers\` lets the auditor read what its rounds left, and nothing else. The key is no site's: it signs and
publishes nothing. Drawn once, on the auditor's own machine; the public part goes to whoever writes the protocol.`,
  arguments: '<keystore>',
  options: {
    passwordFile: text('FILE', "first line: the keystore's password"),
    passwordFd: whole('N', 'file descriptor to read the password from', { from: 0 }),
  },
  example: 'rota audit key auditor.json --password-file auditor.pw',
  async run({ options, args, out }) {
    const { makeReaderKey } = await import('#app/audit/audit.ts')
    const made = await makeReaderKey(args[0] ?? '', passwordOf(options))
    out.result(
      made,
      () => `${out.style.good('Made')} ${made.keystore}\nFor the protocol:\n  readers:\n    - name: auditor\n      encryptionKey: '${made.encryptionKey}'`,
    )
  },
})

export const audit_verify = command({
  name: 'audit verify',
  group: 'Audit',
  summary: 'recompute every round from the chain and the stores',
  description: `Adds up every round again from the chain's log and stored blocks, with its own code and nothing but a reader's key. Each round reads
"recomputed", "recomputed from the stored sum" (its updates are past their time), "attested, not recomputed" (its sum is too), or "does not hold"
with the object, block and 1 KiB leaf where it fails. Of masked rounds the masks are taken off again, with what sites released; where too little of that is left,
the round reads "masks not taken off". Ends with 1 when a round does not hold or stays masked.`,
  options: {
    chain,
    contracts,
    reader: text('KEYSTORE', "the reader's keystore; a study's protocol lists its key"),
    store: list('DIR|URL,…', "a node's folder or a copy of its blocks, or the URL of a node's endpoint; several between commas"),
    passwordFile: text('FILE', "first line: the keystore's password"),
    passwordFd: whole('N', 'file descriptor to read the password from', { from: 0 }),
    run,
    strict: flag('a round that could not be recomputed does not hold either'),
  },
  example:
    'rota audit verify --chain http://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3 --reader auditor.json --password-file auditor.pw --store ./hospital-1',
  async run({ options, out, signal }) {
    const { auditVerify } = await import('#app/audit/audit.ts')
    const { auditText } = await import('#cli/output/audit-text.ts')
    const given = {
      ...chainOf('audit verify', options),
      run: options.run,
      reader: needed('audit verify', '--reader', options.reader),
      password: passwordOf(options),
      stores: options.store,
      strict: options.strict,
    }
    const progress = out.progress('Recomputing')
    try {
      const report = await auditVerify(given, signal, (round) => progress.update(`run ${round.run} round ${round.round}`))
      progress.done()
      out.result(report, () => auditText(report, out.style))
      return report.ok ? 0 : 1
    } finally {
      progress.done()
    }
  },
})

export const audit_log = command({
  name: 'audit log',
  group: 'Audit',
  summary: "print the chain's events in words, and who was missing from the rounds",
  description: `A line for each event; below them, for each run, who was not in every round, since when and why, who was passed over as leader, and whose sum
was thrown out, all worked out from these events alone. --json gives each site's share of each round.`,
  options: { chain, contracts, run, from: whole('BLOCK', 'from this block on', { from: 0 }) },
  example: 'rota audit log --chain http://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3 --run 1',
  async run({ options, out, signal }) {
    const { auditLog } = await import('#app/audit/audit.ts')
    const { logText } = await import('#cli/output/audit-text.ts')
    const log = await auditLog({ ...chainOf('audit log', options), run: options.run, from: options.from }, signal)
    out.result({ events: log.lines.map((line) => line.event), participation: log.runs }, () => logText(log, out.style))
  },
})

const chainOf = (name: string, options: { readonly chain: string | undefined; readonly contracts: string | undefined }) => ({
  url: needed(name, '--chain', options.chain),
  contracts: needed(name, '--contracts', options.contracts),
})

function needed(name: string, option: string, value: string | undefined): string {
  if (value === undefined) throw new RotaError('ROTA-1006', { command: name, reason: `${option} is missing` })
  return value
}

function passwordOf({ passwordFile, passwordFd }: { readonly passwordFile: string | undefined; readonly passwordFd: number | undefined }) {
  if (passwordFile !== undefined) return { file: passwordFile }
  if (passwordFd !== undefined) return { fd: passwordFd }
  throw new RotaError('ROTA-1308', { source: 'nowhere: neither --password-file nor --password-fd is given' })
}
