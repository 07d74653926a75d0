import { parentPort, workerData } from 'node:worker_threads'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { chaosStudy } from '../../../scripts/chaos/chaos-study.ts'
import { makePeople } from './consenting.ts'
import type { Asked } from './play-schedules.ts'
import { type Played, playSchedule } from './schedule.ts'

const SITES = 5

const { kind, from, count, sabotaged = false } = workerData as Asked
const { protocol: drawn, sites } = chaosStudy(kind, SITES, 2)
const protocol = { ...drawn, lawfulBasis: 'consent' as const }
const people = makePeople(sites, protocol)
try {
  const study = { protocol, rules: await rulesOf(protocol), people, rows: sites }
  const played: Played[] = []
  for (let seed = from; seed < from + count; seed++) played.push(await playSchedule(study, seed, sabotaged))
  parentPort?.postMessage(played)
} finally {
  people.remove()
}
