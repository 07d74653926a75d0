import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ATTEST_STATUSES, PHASES, RUN_STATES, SITE_STATES } from '#ports/chain.ts'
import { DOCUMENTS } from '../../../scripts/docs/documents.ts'
import { freshText, readDocument } from '../../../scripts/docs/generated.ts'
import { type Measured, measuredText, WORKS } from '../../../scripts/docs/measured.ts'
import { playedPhases, rowFor } from '../../../scripts/docs/round-scene.ts'

// given the documents and the code
// ├── each generated file or section is what the code says now
// ├── the contracts' lists of phases and states are those of the node
// ├── figures are shown with their command and ratio; what was not measured says so
// └── the scene that the round's diagram is asked of has a leader who publishes, standbys who follow, and the rest who wait

const ROOT = new URL('../../../', import.meta.url)

describe('generated documents', () => {
  for (const document of DOCUMENTS) {
    it(`${document.file} is up to date`, async () => {
      const [now, fresh] = [await readDocument(document.file), await freshText(document)]
      assert.ok(now === fresh, `${document.file} is not what the code says: run node scripts/docs/main.ts (${firstDifference(now, fresh)})`)
    })
  }
})

describe('lists that stand on the chain and in the node', () => {
  for (const [file, name, list] of [
    ['Phase', 'Phase', PHASES],
    ['RunState', 'RunState', RUN_STATES],
    ['Status', 'Status', ATTEST_STATUSES],
    ['Sites', 'SiteState', SITE_STATES],
  ] as const) {
    it(`${name} has the same members in the same order`, async () => {
      assert.deepEqual((await solidityEnum(`contracts/types/${file}.sol`, name)).map(lower), list.map(lower))
    })
  }
})

describe('the table of what was measured', () => {
  const measured: Measured = {
    date: '2026-01-31',
    machine: '2 cores',
    rows: [{ work: WORKS[0], command: 'npm run bench', unit: 's', rota: { median: 0.25, low: 0.2, high: 0.3 }, peers: [{ name: 'other', median: 0.5 }] }],
  }

  it('says of every work that it is not measured yet when there is no file', () => {
    assert.equal(measuredText(null).match(/not measured yet/g)?.length, WORKS.length)
  })

  it('shows a figure with its range, its command and the ratio', () => {
    const text = measuredText(JSON.stringify(measured))
    assert.match(text, /\| 0\.25 s \(0\.2–0\.3\) \| other 0\.5 s \| 0\.5 \| `npm run bench` \|/)
    assert.equal(text.match(/not measured yet/g)?.length, WORKS.length - 1)
  })

  it('takes no figure without its command', () => {
    const [row] = measured.rows
    assert.throws(() => measuredText(JSON.stringify({ ...measured, rows: [{ ...row, command: '' }] })))
  })
})

describe('the round that the diagram shows', () => {
  it('has the phases that this version plays', () => {
    assert.deepEqual(playedPhases(), ['Contributing', 'Witnessing', 'Publishing', 'Attesting'])
  })

  it('is published by the leader, then by one standby for each third of the limit', () => {
    assert.equal(rowFor('Publishing', 'leader', 0), 'publish')
    assert.deepEqual([rowFor('Publishing', 'first standby', 0), rowFor('Publishing', 'first standby', 1)], ['wait', 'publish'])
    assert.deepEqual([rowFor('Publishing', 'second standby', 1), rowFor('Publishing', 'second standby', 2)], ['wait', 'publish'])
  })

  it('is attested by the frozen set alone', () => {
    assert.equal(rowFor('Attesting', 'any other site', 0), 'attest')
    assert.equal(rowFor('Attesting', 'a site left out', 0), 'wait')
  })
})

/** Solidity writes `WrongSum`, TypeScript `wrongSum`. */
const lower = (name: string): string => name.toLowerCase()

async function solidityEnum(file: string, name: string): Promise<readonly string[]> {
  const source = await readFile(new URL(file, ROOT), 'utf8')
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1]
  assert.ok(body !== undefined, `${file} has no enum ${name}`)
  return body
    .replace(/\/\/.*$/gm, '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

function firstDifference(now: string, fresh: string): string {
  const [a, b] = [now.split('\n'), fresh.split('\n')]
  const line = b.findIndex((text, i) => text !== a[i])
  return `line ${line + 1}: "${(b[line] ?? '').slice(0, 120)}" is missing`
}
