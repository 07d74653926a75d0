import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plainName, toCsv } from '../cohort.ts'
import { must } from '../demo-error.ts'
import { Hospital } from '../hospital.ts'
import type { NetworkResult } from '../results.ts'
import type { Network, Reader, Scene } from '../scene.ts'
import { startNodes } from './start-nodes.ts'

/** Act 1. A chain, contracts by the founders, and a hospital that asks to join and is voted in; then every node runs. */
export async function actNetwork(
  scene: Scene,
  enlist: (hospitals: readonly Hospital[]) => void,
): Promise<{ readonly network: Network; readonly result: NetworkResult }> {
  const { stage, rota, root } = scene
  stage.act(1, 'A network', 'Each hospital has its own folder: its rows, its keys, its store. The chain keeps digests, turns and decisions; no data.')
  stage.command('rota chain start --folder chain --block-time 1 --mixed-mining')
  const { url } = await rota<{ url: string }>(['chain', 'start', '--folder', join(root, 'chain'), '--block-time', '1', '--mixed-mining'])
  const hospitals = scene.cohort.hospitals.map(({ name }) => new Hospital(name, join(root, plainName(name)), scene.ear.hear))
  enlist(hospitals)

  stage.command(`rota init --folder ${hospitals[0]?.name} --name ${hospitals[0]?.name} --chain ${url} --data … --password-file …`)
  const [reader] = await Promise.all([makeReader(scene), ...hospitals.map((hospital) => initHospital(scene, hospital, url))])
  stage.good(
    `${hospitals.length} hospitals have keys of their own: ${scene.cohort.hospitals.map(({ name, rows }) => `${name} (${rows.length} patients)`).join(', ')}`,
  )

  const founders = hospitals.slice(0, -1)
  const last = hospitals.at(-1) as Hospital
  stage.command(`rota network create --founders ${founders.map(({ name }) => `${name}/site.json`).join(',')}`)
  const { contracts } = await rota<{ contracts: string }>([
    'network',
    'create',
    '--chain',
    url,
    '--founders',
    founders.map(({ folder }) => join(folder, 'site.json')).join(','),
  ])
  stage.good(`contracts at ${contracts}, founded by ${founders.map(({ name }) => name).join(', ')}`)

  const votes = await voteIn(scene, contracts, founders, last)
  const network = { chain: url, contracts, hospitals, reader }
  await startNodes(scene, hospitals)
  const processes = Object.fromEntries(hospitals.map(({ name, pid }) => [name, pid ?? 0]))
  stage.good(`every node runs: ${hospitals.map(({ name, pid }) => `${name} is process ${pid}`).join(', ')}`)
  return { network, result: { contracts, founders: founders.map(({ name }) => name), votedIn: [{ name: last.name, votes }], processes } }
}

async function initHospital({ rota, cohort }: Scene, { name, folder }: Hospital, chain: string): Promise<void> {
  const rows = cohort.hospitals.find((hospital) => hospital.name === name)?.rows ?? []
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [data, password] = [join(folder, 'patients.csv'), join(folder, 'password')]
  await Promise.all([writeFile(data, toCsv(cohort, rows), { mode: 0o600 }), writeFile(password, `of ${name}, for the demo alone\n`, { mode: 0o600 })])
  await rota(['init', '--folder', folder, '--name', name, '--chain', chain, '--data', data, '--password-file', password])
}

/** The auditor's key: the protocols will list it as a reader. */
async function makeReader({ rota, root }: Scene): Promise<Reader> {
  const folder = join(root, 'auditor')
  await mkdir(folder, { mode: 0o700 })
  const [keystore, passwordFile] = [join(folder, 'reader.json'), join(folder, 'password')]
  await writeFile(passwordFile, 'of the auditor, for the demo alone\n', { mode: 0o600 })
  const { encryptionKey } = await rota<{ encryptionKey: string }>(['audit', 'key', keystore, '--password-file', passwordFile])
  return { keystore, passwordFile, encryptionKey }
}

/** @returns the votes that it took */
async function voteIn({ rota, stage }: Scene, contracts: string, founders: readonly Hospital[], last: Hospital): Promise<number> {
  const join = (hospital: Hospital) => rota<{ state: string }>(['join', '--folder', hospital.folder, '--contracts', contracts])
  stage.command(`rota join --folder ${last.name} --contracts ${contracts}`)
  const [asked] = await Promise.all([join(last), ...founders.map(join)])
  must(asked?.state === 'waiting', `${last.name} should wait for the members' votes, and is ${asked?.state}`)
  let votes = 0
  let admitted = false
  for (const founder of founders) {
    if (admitted) break
    stage.command(`rota admit ${last.name} --folder ${founder.name}`)
    admitted = (await rota<{ admitted: boolean }>(['admit', last.name, '--folder', founder.folder])).admitted
    votes += 1
  }
  must(admitted, `${last.name} was not voted in`)
  stage.good(`${last.name} asked to join and was voted in by ${votes} of ${founders.length} members`)
  return votes
}
