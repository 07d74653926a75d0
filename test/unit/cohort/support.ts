import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { parseProtocol } from '#app/protocol/protocol-file.ts'
import { toDigest } from '#base/bytes.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Vault } from '#ports/vault.ts'

/** A folder that is gone after the test file. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rota-cohort-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function writeFile(folder: string, name: string, text: string | Uint8Array): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** The vault's keyed digest, under a secret of the test. */
export const keyed = (secret: string): Pick<Vault, 'keyedDigest'> => ({
  keyedDigest: (purpose, ...parts) => {
    const mac = createHmac('sha256', secret).update(`${purpose}\0`)
    for (const part of parts) mac.update(part)
    return toDigest(new Uint8Array(mac.digest()))
  },
})

export const PROTOCOL_TEXT = `
title: Blood pressure and outcome
purpose: a test
lawfulBasis: opt-out
programme: research
cohort: { rule: everybody, minRows: 2, maxRows: 50 }
features:
  - { name: age, unit: a, range: [0, 120] }
  - { name: sbp, unit: 'mm[Hg]', range: [50, 250], missing: drop-row }
  - { name: chol, unit: mg/dL, range: [0, 700], missing: { fill: 200 } }
  - { name: sex, range: [0, 1] }
label: { name: outcome }
learner: { kind: logistic }
`

export const protocolWith = (changes: Partial<Protocol> = {}): Protocol => ({ ...parseProtocol(PROTOCOL_TEXT), ...changes })

export const HEADER = 'patient,age,sbp,chol,sex,outcome'
