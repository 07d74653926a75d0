import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NodeEvent } from '#app/node/run-node.ts'
import type { SiteStatus } from '#app/site/site-status.ts'
import type { ShownStudy } from '#app/study/study-show.ts'
import { createStoryteller } from '#cli/output/node-story.ts'
import type { Output } from '#cli/output/output.ts'
import { statusText } from '#cli/output/status-text.ts'
import { studyText } from '#cli/output/study-text.ts'
import { plain } from '#cli/output/style.ts'

// given exact runs in which patients may rest
// ├── a node says once a run how many rest, and whose wish has it halted; from the second within a day that one is to be asked
// ├── `rota status` says how many rest
// └── `rota study show` says that whoever halted a run did it for a site

it('a node tells of patients who rest, and of wishes', () => {
  const lines: string[] = []
  const tell = createStoryteller({ style: plain, line: (text: string) => void lines.push(text) } as unknown as Output)
  const progress = (of: object): void => tell({ event: 'progress', progress: of } as NodeEvent)
  for (const [run, resting] of [
    [1, 0],
    [2, 10],
    [2, 10],
    [3, 20],
  ] as const)
    progress({ kind: 'contributed', run, round: 1, resting })
  for (const timesToday of [1, 2]) progress({ kind: 'wish', run: 3, round: 2, site: 4, timesToday })
  assert.deepEqual(lines, [
    'Run 2: 10 patients who consent rest; nobody outside is told.',
    'Run 3: 20 patients who consent rest; nobody outside is told.',
    'Run 3 round 2: to be halted for site 4, whose patients changed.',
    'Run 3 round 2: to be halted for site 4, whose patients changed. That makes 2 runs within a day: ask it why.',
  ])
})

it('status says how many rest', () => {
  const status = {
    site: { id: 0, name: 'bern', member: true, resting: false },
    ...{ chain: { url: 'x', chainId: 1n, head: 2 }, node: null, members: 3, desk: null, studies: [], runs: [], rounds: [], absences: [] },
  }
  const text = (patientsResting: SiteStatus['patientsResting']): string => statusText({ ...status, patientsResting }, plain)
  assert.match(text({ run: 7, patients: 10 }), /10 patients who consent were left out of run 7/)
  assert.doesNotMatch(text(null), /left out/)
})

it('a study says for whom a run was halted', () => {
  const halted = (differencing?: 'rest'): string => {
    const run = {
      run: 1,
      state: 'Halted',
      closedRounds: 1,
      halted: { by: 'bern', reason: 'cohortChanged' },
      rounds: [],
      participation: { shares: [], absences: [] },
    }
    const protocol = { cohort: { rule: 'all', minRows: 1, differencing }, features: [], label: {}, learner: { kind: 'statistics', bins: 2 }, readers: [] }
    const study = { study: 1, protocol, problem: null, approved: [], notApproved: [], epoch: null, budgets: null, runs: [run] }
    return studyText(study as unknown as ShownStudy, plain)
  }
  assert.match(halted('rest'), /Halted by bern, for a site whose patients changed: .* some patients rest\./)
  assert.match(halted(), /Halted by bern, whose patients changed: .* stays out\./)
  assert.match(halted('rest'), /after a withdrawal some rest/)
})
