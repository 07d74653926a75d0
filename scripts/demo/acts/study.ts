import { basename, join } from 'node:path'
import { must } from '../demo-error.ts'
import type { Hospital } from '../hospital.ts'
import { protocols } from '../protocols.ts'
import type { DemoResults } from '../results.ts'
import type { Network, Scene, Studies } from '../scene.ts'

const PROGRAMME = 'readmission-research'

/** Act 2. Protocols are published, patients' consents recorded; each steward sees what the studies would touch, and approves their digests. */
export async function actStudy(scene: Scene, network: Network): Promise<{ readonly studies: Studies; readonly result: DemoResults['study'] }> {
  const { stage } = scene
  const { hospitals } = network
  stage.act(2, 'A study', 'Purpose, lawful basis, cohort rule, features with units and ranges, learner, quorum, limits: stewards approve exactly these bytes.')
  const published = await publishAll(scene, network)
  const { exact, averaged, neural } = published
  stage.good(`study ${exact.study}: logistic regression by Newton's method, digest ${exact.digest.slice(0, 18)}…`)
  stage.good(`study ${averaged.study}: the same by federated averaging; study ${neural.study}: a small neural network`)

  const [first] = hospitals
  stage.command(`rota consent record --folder ${first?.name} --programme ${PROGRAMME} --all --receipts ${first?.name}/receipts`)
  for (const { study } of [exact, averaged, neural]) stage.command(`rota study approve ${study} --folder ${first?.name}`)
  stage.now('stewards look and approve')
  const desks = await Promise.all(hospitals.map((hospital) => deskAndSteward(scene, hospital, [exact.study, averaged.study, neural.study])))
  const counts = hospitals.map(({ name }, i): [string, number] => [name, desks[i]?.recorded ?? 0])
  stage.good(`consents are on record, each patient has a receipt: ${counts.map(([name, n]) => `${name} ${n}`).join(', ')}`)
  const rows = desks[0]?.rows
  stage.good(
    `what the steward of ${first?.name} saw first: ${scene.cohort.columns.length + 1} columns, ${rows?.train} train rows and ${rows?.test} test rows used`,
  )
  stage.good(`${hospitals.length} stewards approved the three digests`)
  const approvedBy = hospitals.map(({ name }) => name)
  return {
    studies: {
      programme: PROGRAMME,
      exact: exact.study,
      averaged: averaged.study,
      neural: neural.study,
      receipts: new Map(hospitals.map((hospital) => [hospital, receiptsOf(hospital)])),
    },
    result: {
      exact: { ...exact, approvedBy },
      averaged: { ...averaged, approvedBy },
      neural: { ...neural, approvedBy },
      consents: Object.fromEntries(counts),
    },
  }
}

interface Published {
  readonly study: number
  readonly digest: string
}

const receiptsOf = ({ folder }: Hospital): string => join(folder, 'receipts')

/** Each by another hospital: whoever publishes has no other right than to have proposed. */
async function publishAll(scene: Scene, network: Network): Promise<Record<'exact' | 'averaged' | 'neural', Published>> {
  const files = await protocols(scene, network, PROGRAMME)
  const [one, two, three] = network.hospitals
  must(one !== undefined && two !== undefined && three !== undefined, 'there are fewer than three hospitals')
  const publish = async (file: string, { name, folder }: Hospital): Promise<Published> => {
    scene.stage.command(`rota study publish ${basename(file)} --folder ${name}`)
    const { study, digest } = await scene.rota<Published>(['study', 'publish', file, '--folder', folder])
    return { study, digest }
  }
  const exact = await publish(files.exact, one)
  const [averaged, neural] = await Promise.all([publish(files.averaged, two), publish(files.neural, three)])
  return { exact, averaged, neural }
}

interface Preview {
  readonly preview: { readonly data: { readonly ready: boolean; readonly rows: { readonly train: number; readonly test: number } } }
}

/** The desk first, then the steward: where everyone has to consent, a study would otherwise find nobody. */
async function deskAndSteward({ rota }: Scene, hospital: Hospital, studies: readonly number[]) {
  const site = ['--folder', hospital.folder]
  const { recorded } = await rota<{ recorded: number }>(['consent', 'record', ...site, '--programme', PROGRAMME, '--all', '--receipts', receiptsOf(hospital)])
  let data: Preview['preview']['data'] | undefined
  // What has just been published may still be on its way here.
  for (const study of studies) data = (await rota<Preview>(['study', 'approve', String(study), ...site], { patient: true })).preview.data
  must(data?.ready === true, `the data of ${hospital.name} do not fit the protocol`, JSON.stringify(data))
  return { recorded, rows: data.rows }
}
