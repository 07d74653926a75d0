import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#adapters/devchain/machine.ts'
import { cpuSecondsOf, endTree } from './process-tree.ts'

export interface SecAggWork {
  /** Of the Python environment that Flower is in. */
  readonly bin: string
  /** The folder of its app, which adds vectors of noise up behind SecAgg+ and tells when each round began and ended. */
  readonly app: string
  readonly sites: number
  readonly weights: number
  readonly rounds: number
}

export interface SecAggRun {
  /** From a round's hand-out to its sum. */
  readonly roundSeconds: readonly number[]
  /** Of all its processes, a round. */
  readonly cpuSeconds: number
}

interface Told {
  readonly event: 'begin' | 'replies' | 'end'
  readonly round: number
  /** Seconds. */
  readonly t: number
  readonly ok?: number
}

const START_MS = 180_000
/** A round of a million weights takes half a minute of each of two cores, and up to three minutes on busy ones. */
const RUN_MS = 1_500_000
const LOOK_MS = 200
const SUBMIT_AGAIN_MS = 1_000

/** Flower's own processes as they are shipped, a SuperLink and a SuperNode a site, every listener of theirs on 127.0.0.1. @throws Error when they do not get there */
export async function playSecAgg({ bin, app, sites, weights, rounds }: SecAggWork): Promise<SecAggRun> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-flower-'))
  const children: ChildProcess[] = []
  try {
    const link = await freePort()
    const env = await home(dir, bin, link)
    const start = async (name: string, command: string, args: readonly string[]): Promise<ChildProcess> => {
      const log = await open(join(dir, `${name}.log`), 'a')
      const child = spawn(join(bin, command), args, { env, stdio: ['ignore', log.fd, log.fd] })
      children.push(child)
      await once(child, 'spawn').finally(() => log.close())
      return child
    }
    const here = ['--insecure', '--host', '127.0.0.1']
    await start('superlink', 'flower-superlink', [...here, '--port', `${link}`, '--disable-runtime-dependency-installation'])
    for (let i = 0; i < sites; i++) {
      const part = `partition-id=${i} num-partitions=${sites}`
      await start(`supernode-${i}`, 'flower-supernode', [...here, '--port', `${await freePort()}`, '--superlink', `127.0.0.1:${link}`, '--node-config', part])
    }
    // Flower packs the folder that it is given.
    await cp(app, join(dir, 'app'), { recursive: true })
    const events = join(dir, 'events.jsonl')
    const config = `rounds=${rounds} epochs=1 vector=${weights} sites=${sites} min-sites=0 evaluate=false eager=false csv="" events="${events}"`
    await accepted(() => start('flwr-run', 'flwr', ['run', join(dir, 'app'), '--run-config', config, '--format', 'json']), join(dir, 'flwr-run.log'))
    return await watch(events, rounds, sites, children)
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}; its SuperLink said: ${await tail(join(dir, 'superlink.log'))}`, { cause: error })
  } finally {
    await endTree(children.flatMap(({ pid }) => pid ?? []))
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Nothing of it leaves this machine. */
async function home(dir: string, bin: string, port: number): Promise<NodeJS.ProcessEnv> {
  const at = join(dir, 'home')
  await mkdir(at)
  await writeFile(join(at, 'config.toml'), `[superlink]\ndefault = "bench"\n\n[superlink.bench]\naddress = "127.0.0.1:${port}"\ninsecure = true\n`)
  const path = `${bin}${delimiter}${process.env.PATH ?? ''}`
  return { ...process.env, PATH: path, FLWR_HOME: at, FLWR_TELEMETRY_ENABLED: '0', FLWR_DISABLE_UPDATE_CHECK: '1' }
}

/** The SuperLink takes a run once it listens. */
async function accepted(submit: () => Promise<ChildProcess>, log: string): Promise<void> {
  for (const untilMs = Date.now() + START_MS; ; ) {
    const child = await submit()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    if (/"success": true/.test(await readFile(log, 'utf8'))) return
    if (Date.now() > untilMs) throw new Error(`Flower took no run in ${START_MS / 1_000} s: ${await tail(log)}`)
    await sleep(SUBMIT_AGAIN_MS)
  }
}

async function watch(events: string, rounds: number, sites: number, children: readonly ChildProcess[]): Promise<SecAggRun> {
  const roots = children.flatMap(({ pid }) => pid ?? [])
  const serving = children.slice(0, sites + 1)
  let before: number | null = null
  for (const untilMs = Date.now() + RUN_MS; Date.now() < untilMs; await sleep(LOOK_MS)) {
    const told = await readEvents(events)
    if (before === null && told.length > 0) before = cpuSecondsOf(roots)
    const ends = told.filter(({ event }) => event === 'end')
    if (before !== null && ends.length === rounds) return { roundSeconds: secondsOf(told, sites), cpuSeconds: (cpuSecondsOf(roots) - before) / rounds }
    if (serving.some(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)) throw new Error('a process of Flower ended')
  }
  throw new Error(`Flower did not get through ${rounds} rounds in ${RUN_MS / 1_000} s`)
}

/** @throws Error for a round that was not everyone's */
function secondsOf(told: readonly Told[], sites: number): readonly number[] {
  const at = (event: Told['event'], round: number): Told => {
    const found = told.find((each) => each.event === event && each.round === round)
    if (found === undefined) throw new Error(`Flower told of no ${event} of round ${round}`)
    return found
  }
  return told
    .filter(({ event }) => event === 'end')
    .map(({ round, t }) => {
      if (at('replies', round).ok !== sites) throw new Error(`round ${round} of Flower was of ${at('replies', round).ok} sites, not of ${sites}`)
      return t - at('begin', round).t
    })
}

/** A last line may be half written. */
async function readEvents(file: string): Promise<readonly Told[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Told]))
}

const tail = async (file: string): Promise<string> => (await readFile(file, 'utf8').catch(() => 'nothing')).slice(-1_000)
