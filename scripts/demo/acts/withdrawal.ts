import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../demo-error.ts'
import type { Hospital } from '../hospital.ts'
import { showModel } from '../model-answer.ts'
import { compare, pooledFit, TOLERANCE } from '../pooled-rows.ts'
import type { WithdrawalResult } from '../results.ts'
import { type OpenRun, openRun } from '../rounds.ts'
import type { Network, Scene, Studies } from '../scene.ts'

/** Of each of two hospitals, and all of them train: of these the differencing rule asks for at least so many. */
const WITHDRAW = 10
const ABSTAIN_LIMIT_MS = 30_000

/** Act 6. Twenty patients withdraw with nothing but their receipts. @param opened the exact run that is under way */
export async function actWithdrawal(scene: Scene, network: Network, { exact, receipts }: Studies, opened: OpenRun): Promise<WithdrawalResult> {
  const { stage } = scene
  stage.act(6, 'Patients withdraw', 'A patient needs the receipt alone: no account, no coin, nobody’s leave. Exact results may not show who left.')
  const two = largest(scene, network)
  const leavers = await Promise.all(two.map((hospital) => receiptsOf(scene, hospital, receipts.get(hospital) ?? '')))
  const [alone, ...others] = leavers.flat().map(({ receipt }) => receipt) as [string, ...string[]]
  const [first] = two as [Hospital, Hospital]

  await withdraw(scene, network, [alone])
  const over = await opened.over()
  must(over.state === 'Halted', `run ${opened.run} is ${over.state}: the first withdrawal should have halted it`)
  const round = over.rounds.length + Number(over.rounds.at(-1)?.state !== 'halted')
  stage.good(`one patient of ${first.name} withdrew: run ${opened.run} halted in round ${round}`)

  const abstained = await aloneAbstains(scene, network, exact, first, others)
  stage.good(
    `${leavers.map((list, i) => `${list.length} patients of ${two[i]?.name}`).join(' and ')} who train have withdrawn: ${others.length + 1} tags are on chain`,
  )

  const again = await openRun(scene, network, exact)
  const run = await again.over()
  must(run.state === 'Finished', `run ${run.run} is ${run.state}, not finished`)
  must(
    run.rounds.every(({ included }) => included.length === network.hospitals.length),
    `not every hospital is in every round of run ${run.run}`,
  )
  const [answer, cohorts] = await Promise.all([
    showModel(scene, run.run, first),
    Promise.all(
      two.map((hospital, i) =>
        absence(
          scene,
          hospital,
          run.run,
          (leavers[i] ?? []).map(({ receipt }) => receipt),
        ),
      ),
    ),
  ])
  const { difference } = compare(answer, pooledFit(scene.cohort, new Set(leavers.flat().map(({ patient }) => patient))))
  must(difference.coef <= TOLERANCE, `run ${run.run} differs from the pooled fit without the ${2 * WITHDRAW} patients by ${difference.coef}`)
  stage.good(`the new run equals the pooled fit without them (largest difference ${difference.coef.toExponential(0)})`)
  const [absent, found] = [cohorts.reduce((sum, c) => sum + c.absent, 0), cohorts.reduce((sum, c) => sum + c.found, 0)]
  must(
    found === 0 && absent === 2 * WITHDRAW,
    `${absent} of ${2 * WITHDRAW} withdrawn tags are shown absent from the new cohorts, and ${found} times one is in`,
  )
  stage.good(`${absent} of ${2 * WITHDRAW} withdrawn tags are proven absent from every cohort of run ${run.run}, against the roots on chain`)
  const withdrawn = Object.fromEntries(two.map(({ name }, i) => [name, leavers[i]?.length ?? 0]))
  return { halted: { run: opened.run, round }, abstained, withdrawn, run: { ...run, difference }, absent, found }
}

/** With one patient gone, that patient could be read off the difference of two exact results: the hospital stays away. */
async function aloneAbstains(
  scene: Scene,
  network: Network,
  study: number,
  hospital: Hospital,
  others: readonly string[],
): Promise<WithdrawalResult['abstained']> {
  const since = scene.ear.mark()
  const between = await openRun(scene, network, study)
  const told = await scene.ear.wait(
    `${hospital.name} abstains`,
    ({ hospital: from, event }) =>
      from === hospital && event.event === 'progress' && event.progress.kind === 'abstained' && event.progress.run === between.run ? event.progress : undefined,
    ABSTAIN_LIMIT_MS,
    since,
  )
  must(told.reason === 'differencing', `${hospital.name} abstains because of ${told.reason}`, told.detail)
  scene.stage.line(scene.stage.style.warn(`   ${hospital.name} abstains: ${told.detail.split('. ')[0]}`))
  await withdraw(scene, network, others)
  await between.over()
  return { run: between.run, hospital: hospital.name, reason: told.reason, detail: told.detail }
}

async function withdraw({ rota, stage }: Scene, { chain, contracts }: Network, receipts: readonly string[]): Promise<void> {
  const [first = ''] = receipts
  stage.command(
    `rota consent withdraw --receipt ${first.split('/').at(-1)}${receipts.length > 1 ? `,… (${receipts.length} receipts)` : ''} --chain ${chain} --contracts ${contracts.slice(0, 10)}…`,
  )
  const { withdrawn } = await rota<{ withdrawn: readonly { already: boolean }[] }>([
    'consent',
    'withdraw',
    '--receipt',
    receipts.join(','),
    '--chain',
    chain,
    '--contracts',
    contracts,
  ])
  must(withdrawn.length === receipts.length && withdrawn.every(({ already }) => !already), 'not every withdrawal reached the chain')
}

/** The two hospitals that lose least by it. */
function largest({ cohort }: Scene, { hospitals }: Network): readonly Hospital[] {
  const size = ({ name }: Hospital): number => cohort.hospitals.find((hospital) => hospital.name === name)?.rows.length ?? 0
  return [...hospitals].sort((a, b) => size(b) - size(a)).slice(0, 2)
}

interface Leaver {
  readonly patient: string
  readonly receipt: string
}

/** Ten who were trained with, as the desk's list for handing over the receipts names them. */
async function receiptsOf({ cohort }: Scene, { name }: Hospital, folder: string): Promise<readonly Leaver[]> {
  const lines = (await readFile(join(folder, 'handover.csv'), 'utf8')).trim().split('\n').slice(1)
  const files = new Map(lines.map((line) => line.split(',') as [string, string]))
  const trained = cohort.hospitals.find((hospital) => hospital.name === name)?.rows.filter(({ set, cells }) => set === 'train' && !cells.includes('')) ?? []
  must(
    trained.length >= 2 * WITHDRAW,
    `${name} has ${trained.length} training rows without gaps: too few for ${WITHDRAW} patients to leave`,
    'Take hospitals with more rows.',
  )
  return trained.slice(0, WITHDRAW).map(({ patient }) => ({ patient, receipt: join(folder, files.get(patient) ?? '') }))
}

/** Asks the hospital, which proves it against the roots on chain, of each of these tags in each round of a run. */
async function absence(
  { rota }: Scene,
  { folder }: Hospital,
  run: number,
  receipts: readonly string[],
): Promise<{ readonly absent: number; readonly found: number }> {
  const { receipts: answers } = await rota<ConsentAnswer>(['consent', 'status', '--folder', folder, '--receipt', receipts.join(',')])
  const rounds = answers.map((answer) => answer.rounds.filter((round) => round.run === run))
  return {
    absent: rounds.filter((list) => list.length > 0 && list.every(({ cohort, proof }) => cohort === 'not in' && proof !== null)).length,
    found: rounds.flat().filter(({ cohort }) => cohort === 'in').length,
  }
}

interface ConsentAnswer {
  readonly receipts: readonly { readonly rounds: readonly { readonly run: number; readonly cohort: string; readonly proof: unknown }[] }[]
}
